/** What may wait for one client before it has to catch up out of Redis. */
export const maxWaitingBytes = 262_144
export const maxClients = 5_000
export const heartbeatMs = 15_000
/** A client that has taken nothing for so many heartbeats is gone. */
export const maxStalledBeats = 4
