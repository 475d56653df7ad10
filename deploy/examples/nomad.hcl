# nomad-autoscaler, agent configuration: our query API stands in for a Prometheus.
apm "prescale" {
  driver = "prometheus"
  config = {
    address = "http://prescale.service.consul:8080"
    # header_Authorization = "Bearer TOKEN"
  }
}

strategy "pass-through" {
  driver = "pass-through"
}

# The policy, in the job:
#
# group "shop" {
#   scaling {
#     enabled = true
#     min     = 2
#     max     = 40
#     policy {
#       cooldown            = "1m"
#       evaluation_interval = "15s"
#       check "prescale" {
#         source       = "prescale"
#         query        = "prescale_replicas{service=\"shop\"}"
#         query_window = "1m"
#         strategy "pass-through" {}
#       }
#     }
#   }
# }
