import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { backUp } from '../commands/run-support.ts'
import { testFolder, type TestFolder } from '../small-repository.ts'
import { runCli } from './run-cli.ts'

async function backedUp(): Promise<TestFolder> {
  const folder = await testFolder()
  const source = join(folder.path, 'source')
  mkdirSync(source)
  writeFileSync(join(source, 'file'), 'text')
  await backUp(folder, source)
  return folder
}

/** The repository of a storage that does not answer what it is asked first. */
const downAtStart = (folder: TestFolder): string => `faulty+file://${folder.repository}?fault.rule=get,before,times=2,code=offline`

const commands: Readonly<Record<string, (folder: TestFolder) => readonly string[]>> = {
  backup: ({ path }) => ['backup', join(path, 'source'), '--job', 'job'],
  restore: ({ path }) => ['restore', 'latest', '--to', join(path, 'restored')],
  check: () => ['check'],
  prune: () => ['prune'],
  forget: () => ['forget', '--keep-last', '1'],
  care: () => ['care'],
  rebuild: () => ['rebuild'],
}

describe('a storage that is down when a command begins', () => {
  it.each(Object.keys(commands))('%s tells that it waits, for what, and that this is over', async (name) => {
    await using folder = await backedUp()
    const { code, events } = await runCli([...(commands[name]?.(folder) ?? []), '--json'], { folder, environment: { HOLDFAST_REPO: downAtStart(folder) } })
    expect(code).toBeLessThan(2)
    const pictures = events.filter((event) => event['type'] === 'progress')
    const waits = pictures.filter((picture) => picture['waitingFor'] !== undefined)
    expect(waits[0]).toMatchObject({ operation: name, phase: 'opening', waitingFor: { code: 'offline' } })
    // The waiting is one, however often the storage was asked.
    expect(new Set(waits.map((picture) => JSON.stringify(picture['waitingFor']))).size).toBe(1)
    expect(pictures.at(-1)).not.toHaveProperty('waitingFor')
  })

  it('is told in words where no terminal is', async () => {
    await using folder = await backedUp()
    const { stderr } = await runCli(['check'], { folder, environment: { HOLDFAST_REPO: downAtStart(folder) } })
    expect(stderr).toMatch(/^check: opening .*waiting for the storage: it cannot be reached$/m)
  })
})
