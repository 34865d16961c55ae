import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testFolder, type TestFolder } from '../small-repository.ts'
import { callCli } from './in-process.ts'

/** A cause that people meet: what is done first, what is run, the exit code, what is said, and what to do about it. */
interface Cause {
  readonly prepare?: (folder: TestFolder) => void
  readonly args: (folder: TestFolder) => readonly string[]
  readonly environment?: (folder: TestFolder) => Readonly<Record<string, string | undefined>>
  readonly exit: number
  readonly code: string
  readonly says: string | RegExp
  readonly advises: string | RegExp
}

const list = (): readonly string[] => ['snapshots']
const withPasswordFile = ({ path }: TestFolder): readonly string[] => ['snapshots', '--password-file', join(path, 'password')]
const passwordFile = (bytes: string | Uint8Array, mode = 0o600) => ({ path }: TestFolder): void => {
  writeFileSync(join(path, 'password'), bytes)
  chmodSync(join(path, 'password'), mode)
}
const repository = (address: string) => (): Readonly<Record<string, string>> => ({ HOLDFAST_REPO: address })
const home = (name: string) => ({ path }: TestFolder): Readonly<Record<string, string>> => ({ HOLDFAST_HOME: join(path, name) })
/** Told by the parser of options, to a person with the way to the help. */
const usage = { exit: 200, code: 'arguments', advises: /\S/ } as const
const wrongArguments = { exit: 200, code: 'arguments', advises: /--help|HOLDFAST_HOME/ } as const

const addresses: Readonly<Record<string, Cause>> = Object.fromEntries([
  ['s3:https://host/bucket', 'An address of S3 storage is s3://bucket/prefix'], ['s3//bucket', 'has a colon'], ['S3://bucket', 'small letters'],
  ['b2:bucket:prefix', 'Other programs write S3 storage so'], ['user@host:/srv/x', 'of a kind that is not known'],
  ['rest:http://host:8000/', 'of a kind that is not known'], ['smb://host/share', 'the folder at which this machine has it'], ['gs:bucket:/', 'gs://bucket/prefix'],
  ['file://host/x', 'three slashes'], ['file:x', 'three slashes'], ['file:///C:/x', 'absolute path of this system'], ['C:\\backup', 'a path of Windows'], ['\\\\server\\share', 'a path of Windows'],
  ['~nobody/repo', 'own home folder'], ['$HOME/repo', 'a variable'], [' ', 'empty'], ['/mnt/x\r', 'control character'], ['a:b', './a:b'],
].map(([address = '', says = '']) => [`the address ${JSON.stringify(address)}`, { args: list, environment: repository(address), says, ...wrongArguments }]))

const causes: Readonly<Record<string, Cause>> = {
  ...addresses,
  'no address': { args: list, environment: repository(''), says: 'No repository is named', ...wrongArguments },
  'an empty --repo': { args: () => ['snapshots', '--repo', ''], says: 'empty', ...wrongArguments },
  '~ for a user without a home': { args: list, environment: () => ({ HOLDFAST_REPO: '~/x', HOME: '' }), says: 'HOME is not set', ...wrongArguments },
  'a folder that is not there': { args: list, environment: repository('/nonexistent/x'), exit: 100, code: 'offline', says: 'not there', advises: 'Plug in its disk' },

  'an empty password file': { prepare: passwordFile(''), args: withPasswordFile, says: 'is empty', ...wrongArguments },
  'a password file that begins with an empty line': { prepare: passwordFile('\nx'), args: withPasswordFile, says: 'is empty', ...wrongArguments },
  'a password file that is no text': { prepare: passwordFile(Buffer.from([0xe9, 0x0a])), args: withPasswordFile, says: 'no valid text', ...wrongArguments },
  'a password file with a zero byte': { prepare: passwordFile('a\0b'), args: withPasswordFile, says: 'control character', ...wrongArguments },
  'an endless password file': { args: () => ['snapshots', '--password-file', '/dev/zero'], says: 'more than 64 KiB', ...wrongArguments },
  'a folder as password file': { args: ({ path }) => ['snapshots', '--password-file', path], says: 'is a folder', ...wrongArguments },
  'a password file that is not there': { args: withPasswordFile, says: 'there is no such file', ...wrongArguments },
  'an empty name of a password file': { args: () => ['snapshots', '--password-file', ''], says: 'empty', ...wrongArguments },
  'a password file that all can write': { prepare: passwordFile('x', 0o666), args: withPasswordFile, says: 'can change the password file', ...wrongArguments },
  'a password variable with a line break': { args: list, environment: () => ({ HOLDFAST_PASSWORD: 'a\nb' }), says: 'control character', ...wrongArguments },
  'a new password that is empty': { prepare: passwordFile('\n'), args: ({ path }) => ['key', 'add', '--new-password-file', join(path, 'password')], says: 'is empty', ...wrongArguments },
  'a wrong password': { args: list, environment: () => ({ HOLDFAST_PASSWORD: 'wrong' }), exit: 100, code: 'password', says: 'opens none', advises: 'HOLDFAST_PASSWORD' },

  'an empty folder to restore into': { args: () => ['restore', 'latest', '--to', ''], says: 'empty', ...wrongArguments },
  'an address to restore into': { args: () => ['restore', 'latest', '--to', 's3:bucket'], says: 'An address of S3 storage is s3://', ...wrongArguments },

  'an empty path inside a snapshot': { args: ({ path }) => ['restore', 'latest', '--to', join(path, 'out'), '--path', ''], says: 'empty', ...usage },
  'an empty folder to list': { args: () => ['ls', 'latest', ''], says: 'empty', ...usage },
  'an empty job name': { args: () => ['backup', '/usr/share', '--job', ' '], says: 'job name', ...usage },
  'an empty pattern': { args: () => ['backup', '/usr/share', '--job', 'job', '--exclude', ''], says: 'empty', ...usage },
  'a list that names nothing': { prepare: ({ path }) => { writeFileSync(join(path, 'list'), '\n\n') }, args: ({ path }) => ['restore', 'latest', '--to', join(path, 'out'), '--files-from', join(path, 'list')], says: 'lists of paths are empty', ...wrongArguments },
  'a list of the other kind': { prepare: ({ path }) => { writeFileSync(join(path, 'list'), 'a\0b\0') }, args: ({ path }) => ['backup', '--job', 'job', '--files-from', join(path, 'list')], says: '--files-from0', ...wrongArguments },
  'a list without ends': { prepare: ({ path }) => { writeFileSync(join(path, 'list'), 'a\nb\n') }, args: ({ path }) => ['backup', '--job', 'job', '--files-from0', join(path, 'list')], says: 'no zero bytes', ...wrongArguments },
  'an endless list': { args: () => ['backup', '--job', 'job', '--files-from', '/dev/zero'], says: 'longer than 32 MiB', ...wrongArguments },
  'a list of too many paths': { prepare: ({ path }) => { writeFileSync(join(path, 'list'), '/x\n'.repeat(100_001)) }, args: ({ path }) => ['backup', '--job', 'job', '--files-from', join(path, 'list')], says: 'at most 100000', ...wrongArguments },
  'a list that is not there': { args: () => ['backup', '--job', 'job', '--files-from', '/nowhere/list'], says: 'cannot be read', ...wrongArguments },

  'no source': { args: () => ['backup', '--job', 'job'], says: 'nothing to back up', ...wrongArguments },
  'an empty source': { args: () => ['backup', '', '--job', 'job'], says: 'empty', ...wrongArguments },
  'a source that is not there': { args: () => ['backup', '/nowhere/at/all', '--job', 'job'], exit: 100, code: 'source-missing', says: '/nowhere/at/all', advises: 'exists' },
  'an address as source': { args: () => ['backup', 'rest:host:/x', '--job', 'job'], says: 'of a kind that is not known', ...wrongArguments },
  'a source whose bytes were lost on the way': { args: () => ['backup', 'caf\ufffd', '--job', 'job'], says: '--files-from0', ...wrongArguments },
  'what the kernel makes up as source': { args: () => ['backup', '/proc', '--job', 'job'], says: 'kernel makes up', ...wrongArguments },
  ...Object.fromEntries([
    ['./x', 'instead of ./name'], ['../x', 'lead out'], ['C:\\x', 'relative to each source'], ['x ', 'Blanks at the end'], ['~/x', '~ means nothing'], ['#x', 'a comment'],
    ['[x', 'never closed'], ['/usr/share/doc', 'write "/doc"'],
  ].map(([pattern = '', says = '']) => [`the pattern ${pattern}`, { args: () => ['backup', '/usr/share', '--job', 'job', '--exclude', pattern], says, ...wrongArguments }])),

  'HOLDFAST_HOME where the system has no folders': { args: list, environment: () => ({ HOLDFAST_HOME: '/proc/x' }), exit: 100, code: 'denied', says: 'the system has no folders there', advises: 'Set HOLDFAST_HOME' },
  'HOLDFAST_HOME deep below that': { args: list, environment: () => ({ HOLDFAST_HOME: '/proc/x/y/z' }), exit: 100, code: 'denied', says: 'the system has no folders there', advises: 'Set HOLDFAST_HOME' },
  'a file as HOLDFAST_HOME': { prepare: ({ path }) => { writeFileSync(join(path, 'h'), '') }, args: list, environment: home('h'), says: 'A file is where a folder belongs', ...wrongArguments },
  'a file above HOLDFAST_HOME': { prepare: ({ path }) => { writeFileSync(join(path, 'h'), '') }, args: list, environment: home('h/x'), says: 'A file is where a folder belongs', ...wrongArguments },
  'HOLDFAST_HOME that leads nowhere': { prepare: ({ path }) => { symlinkSync('/nowhere/x', join(path, 'h')) }, args: list, environment: home('h'), exit: 100, code: 'denied', says: 'a link leads nowhere', advises: 'Set HOLDFAST_HOME' },
  'HOLDFAST_HOME of another user': {
    prepare: ({ path }) => {
      mkdirSync(join(path, 'h'))
      chownSync(join(path, 'h'), 65534, 65534)
    },
    args: list, environment: home('h'), exit: 100, code: 'denied', says: 'belongs to another user', advises: 'Set HOLDFAST_HOME',
  },
  'HOLDFAST_HOME of blanks': { args: list, environment: () => ({ HOLDFAST_HOME: '  ' }), says: 'empty', ...wrongArguments },
  'HOLDFAST_HOME that is an address': { args: list, environment: () => ({ HOLDFAST_HOME: 's3://bucket' }), says: 'a path on this machine', ...wrongArguments },
  'a file in place of the catalogs': {
    prepare: (folder) => {
      mkdirSync(folder.home)
      writeFileSync(join(folder.home, 'catalogs'), '')
    },
    args: list, says: 'A file is where a folder belongs', ...wrongArguments,
  },
}

describe('what people meet is told with its reason and a way out', () => {
  it.each(Object.entries(causes))('%s', async (_what, { prepare, args, environment, exit, code, says, advises }) => {
    await using folder = await testFolder()
    prepare?.(folder)
    const before = readdirSync(folder.path)
    const given = args(folder)
    const { events, ...result } = await callCli([...given, '--json', '--patience', '0'], { folder, environment: environment?.(folder) ?? {} })
    expect(events.at(-1)).toMatchObject({ type: 'error', code, message: expect.stringMatching(says) as string, advice: expect.stringMatching(advises) as string })
    expect(result.code).toBe(exit)
    expect(JSON.stringify(events)).not.toContain('defect of Holdfast')
    expect(readdirSync(folder.path).filter((name) => name !== 'home')).toEqual(before.filter((name) => name !== 'home'))
  })

  it('leaves no folder behind that an address was taken for', async () => {
    await using folder = await testFolder()
    for (const address of ['sftp:user@host:/x', '~nobody/x', 'C:\\x']) await callCli(['init'], { folder, environment: { HOLDFAST_REPO: address } })
    for (const name of ['sftp:user@host:', '~nobody', 'C:\\x']) expect(existsSync(name)).toBe(false)
  })
})

describe('passwords', () => {
  it('open with whatever they were written by', async () => {
    await using folder = await testFolder()
    const environment = { HOLDFAST_REPO: join(folder.path, 'new'), HOLDFAST_PASSWORD: undefined }
    const write = (bytes: string | Uint8Array): readonly string[] => {
      passwordFile(bytes)(folder)
      return ['--password-file', join(folder.path, 'password')]
    }
    expect((await callCli(['init', ...write(Buffer.from('\ufeffhünter 2\r\n', 'utf16le'))], { folder, environment })).code).toBe(0)
    for (const bytes of ['hünter 2', '\ufeffhünter 2\r\n', 'hu\u0308nter 2\nnotes', Buffer.from('\ufeffhünter 2', 'utf16le').swap16()]) {
      expect((await callCli(['snapshots', ...write(bytes)], { folder, environment })).code).toBe(0)
    }
    for (const typed of ['hünter 2', 'hünter 2\r', '\ufeffhünter 2']) expect((await callCli(['snapshots'], { folder, environment: { ...environment, HOLDFAST_PASSWORD: typed } })).code).toBe(0)
    execFileSync('mkfifo', [join(folder.path, 'pipe')])
    const writer = import('node:fs/promises').then(({ writeFile }) => writeFile(join(folder.path, 'pipe'), 'hünter 2\nurl: x\n'))
    expect((await callCli(['snapshots', '--password-file', join(folder.path, 'pipe')], { folder, environment })).code).toBe(0)
    await writer
  }, 60_000)

  it('of a file that others can read are taken with a warning', async () => {
    await using folder = await testFolder()
    passwordFile('correct horse battery staple', 0o644)(folder)
    const { code, stderr } = await callCli(withPasswordFile(folder), { folder })
    expect([code, stderr]).toEqual([0, expect.stringMatching(/warning: Everybody on this machine can read the password file .*chmod 600/)])
  })
})

it('~ is the own home folder in an address', async () => {
  await using folder = await testFolder()
  expect((await callCli(['snapshots'], { folder, environment: { HOLDFAST_REPO: '~/repository', HOME: folder.path } })).code).toBe(0)
})

it('a folder with a colon in its name is given with ./ or file:// in front', async () => {
  await using folder = await testFolder()
  for (const address of [`file://${folder.path}/a:b`, `${folder.path}/a:b/c`]) {
    expect((await callCli(['init'], { folder, environment: { HOLDFAST_REPO: address } })).code).toBe(0)
  }
  expect(existsSync(join(folder.path, 'a:b/config'))).toBe(true)
}, 30_000)
