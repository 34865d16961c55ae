import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

/** What tells one network from another, as the system shows it; texts are empty where it does not. */
export interface NetworkFacts {
  /** Linux: /proc/net/route, a line for each route: interface, destination, gateway (hexadecimal), flags, …, metric. */
  readonly routes: string
  /** Linux: /proc/net/arp: address, …, hardware address, …, interface. */
  readonly neighbours: string
  /** By interface: addresses with their prefix lengths, those of this machine alone left out. */
  readonly addresses: readonly { readonly name: string; readonly cidr: string }[]
}

const routeHasGateway = 0x2

/**
 * Names the network that this machine is in: by the hardware address of the default gateway, which stays the same wherever else in the
 * house the machine is, and is another one in the office; else by interface and gateway; else by interface and subnet. Only a key to
 * what was learned, so two networks that look alike cost nothing but a slower start.
 */
export function networkOf({ routes, neighbours, addresses }: NetworkFacts): string {
  const defaults = routes.split('\n').map((line) => line.trim().split(/\s+/)).flatMap(([name, destination, gateway = '', flags = '', , , metric = '']) => (
    destination === '00000000' && (Number.parseInt(flags, 16) & routeHasGateway) !== 0 && /^[0-9A-F]{8}$/i.test(gateway)
      ? [{ name: name ?? '', gateway: addressOf(gateway), metric: Number(metric) }] : []))
  const [best] = defaults.sort((a, b) => a.metric - b.metric)
  if (best) return hardwareOf(neighbours, best) ?? `${best.name} ${best.gateway}`
  const [first] = [...addresses].sort((a, b) => (a.name < b.name ? -1 : 1))
  return first ? `${first.name} ${subnetOf(first.cidr)}` : ''
}

/** The network that this machine is in now. */
export function presentNetwork(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list = []]) => (
    list.flatMap(({ family, internal, cidr }) => (family === 'IPv4' && !internal && cidr !== null ? [{ name, cidr }] : []))))
  return networkOf({ routes: textOf('/proc/net/route'), neighbours: textOf('/proc/net/arp'), addresses })
}

/** The kernel writes IPv4 addresses as a number in its own byte order; all that Node runs on are little-endian. */
function addressOf(hex: string): string {
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.')
}

function hardwareOf(neighbours: string, { name, gateway }: { readonly name: string; readonly gateway: string }): string | undefined {
  const found = neighbours.split('\n').map((line) => line.trim().split(/\s+/)).find((fields) => fields[0] === gateway && fields[5] === name)
  const hardware = found?.[3]
  return hardware !== undefined && hardware !== '00:00:00:00:00:00' ? hardware.toLowerCase() : undefined
}

function subnetOf(cidr: string): string {
  const [address = '', length = ''] = cidr.split('/')
  const bits = Number(length)
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const network = bits === 0 ? 0 : number - (number % 2 ** (32 - bits))
  return `${[24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join('.')}/${length}`
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
