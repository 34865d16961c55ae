import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Networks } from '../../../main/system/network.ts'
import { powerFrom } from '../../../main/system/power.ts'
import { SurroundingsWatch } from '../../../main/system/surroundings.ts'

type Files = Readonly<Record<string, string>>

function suppliesOf(all: Readonly<Record<string, Files>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-power-'))
  for (const [name, files] of Object.entries(all)) {
    mkdirSync(join(folder, name))
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), `${text}\n`)
  }
  return folder
}

const battery = (status: string, capacity: string, more: Files = {}): Files => ({ type: 'Battery', status, capacity, ...more })

it.each<[string, Readonly<Record<string, Files>>, object]>([
  ['a desktop', {}, { onBattery: false }],
  ['a desktop with a mouse', { hid: battery('Discharging', '10', { scope: 'Device' }) }, { onBattery: false }],
  ['a laptop that is plugged in', { AC: { type: 'Mains', online: '1' }, BAT0: battery('Charging', '41') }, { onBattery: false, batteryPercent: 41 }],
  ['a laptop on its battery', { AC: { type: 'Mains', online: '0' }, BAT0: battery('Discharging', '41') }, { onBattery: true, batteryPercent: 41 }],
  ['one that charges over USB and yet runs down', { USB0: { type: 'USB', online: '1' }, BAT0: battery('Discharging', '41') }, { onBattery: false, batteryPercent: 41 }],
  ['one with two batteries', { AC: { type: 'Mains', online: '0' }, BAT0: battery('Unknown', '100'), BAT1: battery('Discharging', '25') }, { onBattery: true, batteryPercent: 63 }],
  ['one that says no charge', { BAT0: { type: 'Battery', status: 'Discharging' } }, { onBattery: true }],
  ['one that says nonsense', { BAT0: battery('Discharging', '255') }, { onBattery: true }],
])('%s', async (_name, supplies, facts) => {
  expect(await powerFrom(suppliesOf(supplies))).toEqual(facts)
})

it('nothing is known where the system has no such folder', async () => {
  expect(await powerFrom('/nowhere')).toEqual({})
})

it('without a system bus nothing is known of networks, and it is asked for again after a while only', async () => {
  const before = process.env['DBUS_SYSTEM_BUS_ADDRESS']
  process.env['DBUS_SYSTEM_BUS_ADDRESS'] = 'unix:path=/nowhere/bus'
  try {
    let nowMs = 0
    const networks = new Networks(() => nowMs)
    const startedMs = performance.now()
    expect(await networks.look()).toEqual({})
    nowMs += 60_000
    expect(await networks.look()).toEqual({})
    expect(performance.now() - startedMs).toBeLessThan(1_000)
  } finally {
    if (before === undefined) delete process.env['DBUS_SYSTEM_BUS_ADDRESS']
    else process.env['DBUS_SYSTEM_BUS_ADDRESS'] = before
  }
})

it('looks are joined, and what is not told is not there', async () => {
  let looks = 0
  const watch = new SurroundingsWatch({ power: async () => { looks += 1; return { onBattery: true } }, network: async () => ({}), idle: () => undefined })
  expect(watch.value).toEqual({})
  await Promise.all([watch.look(), watch.look()])
  expect([looks, watch.value]).toEqual([1, { onBattery: true }])
  await watch.look()
  expect(looks).toBe(2)
})
