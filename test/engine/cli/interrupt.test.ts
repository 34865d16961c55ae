import { mkdirSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { testFolder } from '../small-repository.ts'
import { runCli } from './run-cli.ts'
import { treeState } from '../commands/tree-state.ts'

it('stops at SIGINT with 50, and the next run goes on; then backup, restore and no change end with 0, 0 and 1', async () => {
  await using folder = await testFolder()
  const source = join(folder.path, 'source')
  mkdirSync(source)
  for (let index = 0; index < 12; index++) writeFileSync(join(source, `file-${String(index)}`), randomBytes(4_000_000))
  let sent = false
  const stopped = await runCli(['backup', source, '--job', 'job', '--json', '--concurrency', '1', '--limit-upload', '8M'], {
    folder,
    onOutput: (child, text) => {
      // As soon as one pack has arrived.
      if (sent || !/"name":"pack[^\n]*"state":"done"/.test(text)) return
      sent = true
      child.kill('SIGINT')
    },
  })
  expect(stopped.events.at(-1)).toMatchObject({ type: 'error', code: 'aborted' })
  expect(stopped.code).toBe(50)
  const finished = await runCli(['backup', source, '--job', 'job', '--json'], { folder })
  expect([finished.code, finished.events.at(-1)]).toEqual([0, expect.objectContaining({ type: 'summary', operation: 'backup', outcome: 'success' })])
  expect((await runCli(['backup', source, '--job', 'job'], { folder })).code).toBe(1)
  const list = await runCli(['ls', 'latest:job', 'source', '--json'], { folder })
  expect(list.events.filter((event) => event['type'] === 'entry')).toHaveLength(12)
  const target = join(folder.path, 'target')
  expect((await runCli(['restore', 'latest', '--to', target], { folder })).code).toBe(0)
  expect(treeState(join(target, 'source'))).toEqual(treeState(source))
}, 60_000)
