// Shared by tests in TypeScript and by the worker process that they kill, which runs from dist/.

/** 50 requests per second per replica, from the first sample on. */
export const policy = {
  mode: 'act',
  minReplicas: 1,
  maxReplicas: 100,
  target: { kind: 'perReplica', signal: 'requestsPerSecond', atTarget: 50, utilization: 0.7 },
  startUpSeconds: 60,
  stepSeconds: 60,
  seasonSeconds: 86_400,
  violationTarget: 0.01,
  behavior: {
    scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }], tolerance: 0.1 },
    scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }], tolerance: 0.1 }
  },
  holdSeconds: 600,
  decisionTtlSeconds: 180,
  falseAlarmsPerWeek: 1
}

export const noModels = { forecast: null, anomaly: null, config: null }

export const gaugeOfRequests = [{ signal: 'requestsPerSecond', metric: 'requests_per_second', kind: 'gauge' }]

export const resolved = { policy, mappings: gaugeOfRequests, lateSeconds: 0 }
