#!/bin/sh
# Sets the size of a cloud's group of machines to what prescale decided, again and again. Needs curl, and the cloud's own program.
# Says what it would do; does it with --apply. Where there is no valid decision it changes nothing.
#
#   PRESCALE_URL=http://127.0.0.1:8080 SERVICE=shop MIN=2 MAX=40 sh cloud-group.sh aws my-group [--apply] [--once]
#   ... sh cloud-group.sh gcp my-group        (ZONE or REGION)
#   ... sh cloud-group.sh azure my-scale-set  (RESOURCE_GROUP)
#   SET_SIZE='my-program --to' sh cloud-group.sh command my-group      ($SET_SIZE my-group 14)
#
# TOKEN_FILE names a file that holds a token with the scope read. INTERVAL is the pause in seconds (30).
set -eu

usage () { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
cloud=$1
group=$2
shift 2
apply=no
once=no
for option in "$@"; do
  case $option in
    --apply) apply=yes ;;
    --once) once=yes ;;
    *) usage ;;
  esac
done
: "${PRESCALE_URL:?}" "${SERVICE:?}" "${MIN:?}" "${MAX:?}"
INTERVAL=${INTERVAL:-30}
case $MIN$MAX$INTERVAL in *[!0-9]*) echo 'MIN, MAX and INTERVAL are whole numbers.' >&2; exit 2 ;; esac

say () { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }

# The head of a token is in a file, so that no list of processes shows it.
ask () {
  if [ -n "${TOKEN_FILE:-}" ]; then
    printf 'header = "Authorization: Bearer %s"\n' "$(cat "$TOKEN_FILE")" |
      curl --silent --show-error --fail --max-time 5 --config - "$PRESCALE_URL/v1/services/$SERVICE/decision"
  else
    curl --silent --show-error --fail --max-time 5 "$PRESCALE_URL/v1/services/$SERVICE/decision"
  fi
}

# The first fields of a decision that is to be obeyed (mode act), exactly as they are; anything else is none.
replicas_of () { sed -n 's/^{"service":"[^"]*","mode":"act","asOf":[0-9]*,"validUntil":[0-9]*,"replicas":\([0-9]\{1,6\}\),.*/\1/p'; }

set_size () {
  case $cloud in
    aws) aws autoscaling set-desired-capacity --auto-scaling-group-name "$group" --desired-capacity "$1" ;;
    gcp) gcloud compute instance-groups managed resize "$group" --size "$1" --quiet ${ZONE:+--zone "$ZONE"} ${REGION:+--region "$REGION"} ;;
    azure) az vmss scale --resource-group "${RESOURCE_GROUP:?}" --name "$group" --new-capacity "$1" ;;
    command) ${SET_SIZE:?} "$group" "$1" ;;
    *) usage ;;
  esac
}

last=
turn () {
  if ! answer=$(ask 2>&1); then
    say "nothing is changed: $answer"
    return
  fi
  wanted=$(printf '%s' "$answer" | replicas_of)
  if [ -z "$wanted" ]; then
    say 'nothing is changed: the answer is no decision of a service in the mode act'
    return
  fi
  size=$wanted
  [ "$size" -ge "$MIN" ] || size=$MIN
  [ "$size" -le "$MAX" ] || size=$MAX
  [ "$size" != "$last" ] || return 0
  if [ "$apply" = no ]; then
    say "would set $cloud group $group to $size (decided: $wanted); --apply does it"
  elif set_size "$size"; then
    say "set $cloud group $group to $size (decided: $wanted)"
  else
    say "could not set $cloud group $group to $size; it is tried again"
    return
  fi
  last=$size
}

while :; do
  turn
  [ "$once" = no ] || exit 0
  sleep "$INTERVAL"
done
