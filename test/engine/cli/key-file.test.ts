import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { adviceFor } from '../../../engine/cli/words.ts'
import { readStorageSecrets } from '../../../engine/cli/storage-secrets.ts'
import { HoldfastError, toWireError } from '../../../engine/base/errors.ts'
import { runCli } from './run-cli.ts'

let folder: string

beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'holdfast-key-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

test.each([
  ['is not there', 'nowhere.json', 'does not exist', 'Correct the path'],
  ['is a folder', 'folder', 'is a folder', 'the key file itself'],
  ['is far too long', 'long', 'more than 64 KiB', ''],
])('a key file that %s is told, with what to do', async (_, name, said, advice) => {
  mkdirSync(join(folder, 'folder'))
  writeFileSync(join(folder, 'long'), Buffer.alloc(70_000))
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = join(folder, name)
  const failure: unknown = await readStorageSecrets('gs://bucket').catch((error: unknown) => error)
  if (!(failure instanceof HoldfastError)) throw failure
  expect(failure.code).toBe('arguments')
  expect(failure.message).toContain('GOOGLE_APPLICATION_CREDENTIALS')
  expect(failure.message).toContain(said)
  expect(adviceFor(toWireError(failure))).toContain(advice)
  expect(process.env['GOOGLE_APPLICATION_CREDENTIALS']).toBeUndefined()
})

test('the command line says what is wrong with a key of Cloud Storage before it asks Google', async () => {
  const key = join(folder, 'key.json')
  const run = async (text?: string): Promise<readonly [number | null, string]> => {
    if (text !== undefined) writeFileSync(key, text)
    const environment = { HOLDFAST_HOME: folder, HOLDFAST_PASSWORD: 'tulip gravel omen lamp', ...(text === undefined ? {} : { GOOGLE_APPLICATION_CREDENTIALS: key }) }
    const { code, stderr } = await runCli(['snapshots', '--repo', 'gs://bucket/prefix', '--patience', '0'], { environment })
    return [code, stderr]
  }
  const failures = [await run(), await run('secret words'), await run('{"type":"authorized_user","refresh_token":"secret words"}')]
  expect(failures.map(([code]) => code)).toEqual([failures[0]?.[0], failures[0]?.[0], failures[0]?.[0]])
  expect(failures[0]?.[0]).not.toBe(0)
  for (const [at, words] of ['GOOGLE_APPLICATION_CREDENTIALS', 'not the JSON', 'a person\'s login'].entries()) expect(failures[at]?.[1]).toContain(words)
  for (const [, text] of failures) {
    expect(text).toContain('Make a key of a service account')
    expect(text).not.toContain('secret words')
    expect(text).not.toContain('defect')
  }
}, 60_000)
