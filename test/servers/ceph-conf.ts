/** Loopback ports of the server. */
export interface Ports {
  readonly gateway: number
  readonly monitor1: number
  readonly monitor2: number
}

/**
 * The configuration of a one-node Ceph whose state lives in `folder` and whose data in memory. `ms mon client mode = crc
 * secure` is what lets the gateway talk to a monitor without authentication.
 */
export function cephConf(folder: string, fsid: string, ports: Ports): string {
  return `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${ports.monitor2}/0,v1:127.0.0.1:${ports.monitor1}/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
osd pool default pg num = 1
osd pool default pgp num = 1
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 1
paxos propose interval = 0.02
paxos min wait = 0.01
mon data avail crit = 0
mon osd full ratio = 0.97
mon osd nearfull ratio = 0.85
mon osd backfillfull ratio = 0.90
osd objectstore = memstore
memstore device bytes = 8589934592
run dir = ${folder}/run
admin socket = ${folder}/run/$cluster-$name.asok
log file = ${folder}/log/$name.log
pid file = ${folder}/run/$name.pid
setuser match path =
[mon.a]
mon data = ${folder}/mon
[osd.0]
osd data = ${folder}/osd0
[client.rgw.a]
ms mon client mode = crc secure
rgw data = ${folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${ports.gateway}
rgw dns name = 127.0.0.1
rgw verify ssl = false
`
}
