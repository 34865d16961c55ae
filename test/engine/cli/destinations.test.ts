import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildProgram } from '../../../engine/cli/program.ts'
import { readBothStorageSecrets, readStorageSecrets } from '../../../engine/cli/storage-secrets.ts'
import { providers } from '../../../engine/protocol/providers/registry.ts'
import { beginningOf } from '../../../engine/protocol/providers/spelling.ts'
import { readTypedPath } from '../../../engine/protocol/typed-path.ts'
import { KeptOutput, runHere } from './run-here.ts'

const allVariables = providers.flatMap(({ secrets }) => secrets.flatMap(({ variables, fileVariables = [] }) => [...variables, ...fileVariables]))
/** One for all: each listens on the streams of this process. */
const out = new KeptOutput()
let folder: string
let before: NodeJS.ProcessEnv
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-secrets-'))
  before = { ...process.env }
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  for (const name of allVariables) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, before)
})

function help(): string {
  const lines: string[] = []
  const program = buildProgram(out, false, () => undefined)
  program.configureOutput({ writeOut: (text) => { lines.push(text) } })
  program.outputHelp()
  return lines.join('')
}

describe.each(providers)('$id on the command line', (provider) => {
  test('is told about: address, settings, presets and where its keys come from', async () => {
    out.lines.length = 0
    await buildProgram(out, false, () => undefined).parseAsync(['destinations'], { from: 'user' })
    const text = out.lines.join('\n')
    for (const part of [provider.name, provider.summary, provider.example, ...(provider.presets ?? []).map(({ name }) => name)]) expect(text).toContain(part)
    for (const { name, at } of provider.fields) if (at === 'setting') expect(text).toContain(`${name}=`)
    for (const { variables, fileVariables = [] } of provider.secrets) for (const variable of [...variables, ...fileVariables]) expect(text).toContain(variable)
    if (provider.signIn) expect(text).toContain(`holdfast login ${provider.signIn}`)
  })

  test('has its variables in --help', () => {
    for (const { variables } of provider.secrets) for (const variable of variables) expect(help()).toContain(variable)
  })

  test('gets its secrets and no others; all are gone from the environment', async () => {
    for (const variable of allVariables) process.env[variable] = `value of ${variable}`
    for (const prefix of ['', 'faulty+']) {
      for (const variable of allVariables) process.env[variable] = `value of ${variable}`
      const found = await readStorageSecrets(`${prefix}${provider.example}`)
      expect(found).toEqual(Object.fromEntries(provider.secrets.map(({ name, variables: [first] }) => [name, `value of ${first}`])))
      for (const variable of allVariables) expect(process.env, variable).not.toHaveProperty(variable)
    }
  })

  test('takes a secret from a file where another tool\'s variable names one', async () => {
    for (const { name, fileVariables = [] } of provider.secrets) {
      for (const variable of fileVariables) {
        const path = join(folder, 'key')
        writeFileSync(path, 'content of the file\n')
        process.env[variable] = path
        expect(await readStorageSecrets(provider.example)).toEqual({ [name]: 'content of the file\n' })
        for (const wrong of [join(folder, 'missing'), folder, '/dev/zero']) {
          process.env[variable] = wrong
          await expect(readStorageSecrets(provider.example)).rejects.toMatchObject({ code: 'arguments', message: expect.stringContaining(variable) as string })
        }
      }
    }
  })

  test('is shown its example where its address is mistyped, and is no path', () => {
    const scheme = provider.schemes[0]
    const wrong = [...(provider.form === 'server' ? [`${scheme}:x`] : []), `${scheme.toUpperCase()}:x`, `${scheme}//x`, ...(provider.aliases ?? []).map((alias) => `${alias}:x`)]
    for (const text of wrong) expect(readTypedPath(text), text).toMatchObject({ type: 'wrong', reason: 'address', words: expect.stringContaining(provider.example) as string })
    expect(readTypedPath(provider.example)).toMatchObject({ type: 'wrong', words: expect.stringContaining('a path on this machine belongs here') as string })
    expect(readTypedPath('foo:x')).toMatchObject({ words: expect.stringContaining(beginningOf(provider)) as string })
  })
})

test('a folder gets none of the secrets', async () => {
  for (const variable of allVariables) process.env[variable] = 'x'
  expect(await readStorageSecrets('/mnt/disk')).toEqual({})
  for (const variable of allVariables) expect(process.env).not.toHaveProperty(variable)
})

test('a program gets the list as one event', async () => {
  const { code, last } = await runHere(['destinations'], {})
  expect([code, last['type']]).toEqual([0, 'summary'])
  expect(last['destinations']).toMatchObject(providers.map(({ id, example }) => ({ id, example })))
})

test('a sync’s source has variables of its own, and the ordinary ones only where the destination is another kind of storage', async () => {
  const s3 = ['s3://one?endpoint=http://a.test&region=x', 's3://two?endpoint=http://b.test&region=x'] as const
  const ordinary = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }
  const keys = { accessKeyId: 'id', secretAccessKey: 'secret' }
  Object.assign(process.env, ordinary, { HOLDFAST_FROM_AWS_ACCESS_KEY_ID: 'from', HOLDFAST_FROM_AWS_SECRET_ACCESS_KEY: 'other', HOLDFAST_FROM_WEBDAV_PASSWORD: 'stray' })
  expect(await readBothStorageSecrets(s3[0], s3[1])).toEqual({ storage: keys, from: { accessKeyId: 'from', secretAccessKey: 'other' } })
  expect(Object.keys(process.env).filter((name) => name.startsWith('HOLDFAST_FROM_') || name in ordinary)).toEqual([])
  Object.assign(process.env, ordinary)
  expect(await readBothStorageSecrets(s3[0], s3[1]), 'the keys of one account never go to another server').toEqual({ storage: keys, from: {} })
  Object.assign(process.env, ordinary)
  expect(await readBothStorageSecrets('/mnt/disk', s3[1])).toEqual({ storage: {}, from: keys })
})
