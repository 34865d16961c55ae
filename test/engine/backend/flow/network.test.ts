import { expect, test } from 'vitest'
import { networkOf, presentNetwork } from '../../../../engine/backend/flow/network.ts'

const routes = [
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
  'wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
  'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
  'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0',
].join('\n')
const neighbours = [
  'IP address       HW type     Flags       HW address            Mask     Device',
  '192.168.1.1      0x1         0x2         AA:bb:cc:00:11:22     *        eth0',
  '192.168.1.7      0x1         0x2         de:ad:be:ef:00:01     *        eth0',
].join('\n')
const addresses = [{ name: 'wlan0', cidr: '10.77.13.200/20' }, { name: 'eth0', cidr: '192.168.1.17/24' }]

test('a network is its gateway’s hardware, of the route that is taken', () => {
  expect(networkOf({ routes, neighbours, addresses })).toBe('aa:bb:cc:00:11:22')
  // The same address plan elsewhere is another network.
  expect(networkOf({ routes, neighbours: neighbours.replace('AA:bb', '00:99'), addresses })).not.toBe('aa:bb:cc:00:11:22')
})

test.each(['', neighbours.replace('AA:bb:cc:00:11:22', '00:00:00:00:00:00'), neighbours.replaceAll('eth0', 'eth9')])('else interface and gateway', (unknown) => {
  expect(networkOf({ routes, neighbours: unknown, addresses })).toBe('eth0 192.168.1.1')
})

test('else the subnet, whatever address this machine has in it', () => {
  expect(networkOf({ routes: '', neighbours, addresses: [{ name: 'wlan0', cidr: '10.77.13.200/20' }] })).toBe('wlan0 10.77.0.0/20')
  expect(networkOf({ routes: '', neighbours: '', addresses })).toBe('eth0 192.168.1.0/24')
  expect(networkOf({ routes: 'garbage\n\0', neighbours: '', addresses: [] })).toBe('')
})

test('the present one is told, the same each time', () => {
  expect(presentNetwork()).toBe(presentNetwork())
})
