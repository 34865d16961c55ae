import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLocal } from '../../../../engine/backend/local/local.ts'
import { names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const local = JSON.stringify(new URL('../../../../engine/backend/local/local.ts', import.meta.url).href)

/** A process of its own that works on the folder; `program` has `backend`, `signal` and `say`. */
function start(root: string, hardLinks: boolean, program: string): ReturnType<typeof spawn> {
  const source = `
    const { openLocal } = await import(${local})
    const signal = new AbortController().signal
    const say = (line) => process.stdout.write(line + '\\n')
    const backend = await openLocal(${JSON.stringify(root)}, { hardLinks: ${hardLinks} }, signal)
    ${program}`
  return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function output(child: ReturnType<typeof spawn>): Promise<string> {
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => { text += chunk.toString() })
  await once(child, 'close')
  return text
}

test.each([true, false])('of creations in several processes one wins each name (hard links: %s)', async (hardLinks) => {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-race-'))
  const program = `
    for (let number = 0; number < 60; number++) {
      const bytes = Buffer.from(String(process.pid))
      const won = await backend.put('race/' + number, { type: 'bytes', bytes }, { ifAbsent: true }, signal).then(() => true, (error) => { if (error.code !== 'exists') throw error })
      if (won) say(number + ' ' + process.pid)
    }`
  const won = (await Promise.all(Array.from({ length: 3 }, () => output(start(root, hardLinks, program))))).join('').trim().split('\n')
  expect(won).toHaveLength(60)
  const backend = await openLocal(root, {}, never)
  for (const line of won) {
    const [number, pid] = line.split(' ')
    expect(Buffer.from(await backend.get(`race/${number ?? ''}`, 'all', never)).toString()).toBe(pid)
  }
  expect(await readdir(join(root, '.tmp'))).toEqual([])
  await rm(root, { recursive: true })
})

test('a process killed in the middle of writing leaves whole objects only', async () => {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-killed-'))
  const size = 3_000_000
  const program = `
    for (let number = 0; ; number++) {
      await backend.put('packs/' + number, { type: 'bytes', bytes: Buffer.alloc(${size}, 'k') }, { once: true }, signal)
      say('stored')
    }`
  const child = start(root, true, program)
  await once(child.stdout ?? child, 'data')
  await new Promise((resolve) => setTimeout(resolve, 30))
  child.kill('SIGKILL')
  await once(child, 'close')
  const backend = await openLocal(root, {}, never)
  const stored = await names(backend, '')
  expect(stored.length).toBeGreaterThan(0)
  for (const name of stored) expect((await backend.stat(name, never)).size).toBe(size)
  expect(await backend.abortStaleUploads?.(-60_000, never)).toBeLessThanOrEqual(1)
  expect(await readdir(join(root, '.tmp'))).toEqual([])
  await rm(root, { recursive: true })
})
