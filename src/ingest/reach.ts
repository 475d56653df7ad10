import { BlockList, isIP } from 'node:net'

/** Which addresses may be fetched from; both are asked about what was written out and about every answer of a look-up. */
export interface Reach {
  /** Why not, to be put behind the address; null when it may. */
  readonly refuses: (address: string, hostname: string) => string | null
}

/** Where clouds tell a machine its secrets; also as a network that translates or tunnels IPv4 writes it. No exporter lives there. */
const metadata = blockList(['169.254.0.0/16', '100.100.100.200/32', '168.63.129.16/32', 'fd00:ec2::254/128', '64:ff9b::a9fe:0/112', '2002:a9fe::/32'])
const metadataNames = new Set(['metadata.google.internal', 'metadata.goog', 'instance-data.ec2.internal'])

/** What does not lead to the open Internet: IANA's special-purpose registries, with what only wraps an IPv4 address. */
const special = blockList([
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24',
  '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
  '::/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'
])

/** For addresses of the configuration file: private ones are where exporters live. */
export const configuredReach: Reach = {
  refuses: (address, hostname) => isMetadata(address, hostname) ? 'is an address of cloud metadata, which is never fetched' : null
}

/**
 * For addresses that somebody gave over HTTP: only the open Internet, and what `allow` names.
 *
 * @param allow networks such as `10.1.0.0/16`, single addresses, and ends of names such as `.monitoring.svc`.
 */
export function publicReach (allow: readonly string[]): Reach {
  const networks = allow.filter((entry) => isIP(entry.split('/')[0]) !== 0)
  const allowed = blockList(networks)
  const suffixes = allow.filter((entry) => !networks.includes(entry)).map((entry) => entry.toLowerCase())
  const isNamed = (hostname: string) => suffixes.some((suffix) => hostname === suffix || hostname.endsWith(suffix.startsWith('.') ? suffix : `.${suffix}`))
  return {
    refuses: (address, hostname) => {
      const metadataReason = configuredReach.refuses(address, hostname)
      if (metadataReason !== null) return metadataReason
      if (!contains(special, address) || contains(allowed, address) || isNamed(toName(hostname))) return null
      return 'is not a public address; sources.overHttp.allow names others that may be fetched'
    }
  }
}

function isMetadata (address: string, hostname: string): boolean {
  return metadataNames.has(toName(hostname)) || contains(metadata, address)
}

function toName (hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '')
}

function contains (list: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** @throws Error for what is no network. */
function blockList (networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address, length] = network.split('/')
    const isIpv6 = isIP(address) === 6
    list.addSubnet(address, length === undefined ? (isIpv6 ? 128 : 32) : Number(length), isIpv6 ? 'ipv6' : 'ipv4')
  }
  return list
}
