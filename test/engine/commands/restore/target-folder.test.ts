import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { World } from '../../../fixtures/world.ts'
import { forgedWorld } from './forged.ts'

let world: World
let ground: string

beforeAll(async () => {
  world = await forgedWorld((forger) => [
    forger.directory('söurce', forger.folder([forger.directory('innér', forger.folder([forger.text('file', 'content'), forger.symlink('link', 'file')])), forger.text('ünder', 'more')])),
  ])
  ground = mkdtempSync(join(tmpdir(), 'holdfast-target-'))
})

afterAll(() => {
  world[Symbol.dispose]()
  rmSync(ground, { recursive: true })
})

async function expectRestored(target: string, at = target): Promise<void> {
  const summary = await world.restore(target, { overwrite: 'changed' })
  expect(summary).toMatchObject({ outcome: 'success', problems: 0, files: { found: 2 } })
  const read = (path: string): string => readFileSync(join(at, 'söurce', path), 'utf8')
  expect([read('innér/file'), read('innér/link'), read('ünder')]).toEqual(['content', 'content', 'more'])
}

/** Bytes that are no UTF-8. */
const strange = Buffer.from([0x6e, 0xff, 0xfe, 0x0a])

describe('the folder that a restore is asked to write to', () => {
  it.each(['Téléchargements', 'with spaces ', 'new\nline', '備份', '--flag', 'a/b/ç/d', "quo'te\"", '%41', '.hidden'])('may be named %j', async (name) => {
    const target = join(ground, 'names', name)
    await expectRestored(target)
    // Again, into what is there.
    await expectRestored(target)
    // And nothing went to a folder that is only spelled alike.
    expect(readdirSync(join(ground, 'names'))).toContain(name.split('/')[0])
    expect(readdirSync(join(ground, 'names')).filter((each) => /Ã|Â|å|ç/.test(each) && each !== name)).toEqual([])
  })

  it('leaves a folder alone whose name is the mis-decoded one', async () => {
    const target = join(ground, 'mis', 'Télé')
    const alike = join(ground, 'mis', Buffer.from('Télé').toString('latin1'))
    mkdirSync(alike, { recursive: true })
    await expectRestored(target)
    expect(readdirSync(alike)).toEqual([])
  })

  it('may end in a slash, and be a symbolic link, followed once', async () => {
    mkdirSync(join(ground, 'rêal'))
    symlinkSync('rêal', join(ground, 'link'))
    await expectRestored(`${join(ground, 'slash')}/`, join(ground, 'slash'))
    await expectRestored(join(ground, 'link'), join(ground, 'rêal'))
    await expectRestored(`${join(ground, 'link')}/`, join(ground, 'rêal'))
    expect(readdirSync(join(ground, 'rêal'))).toEqual(['söurce'])
  })

  it('may be a symbolic link to a name that is no UTF-8', async () => {
    const real = Buffer.concat([Buffer.from(`${ground}/`), strange])
    mkdirSync(real)
    symlinkSync(strange, join(ground, 'to strange'))
    await expectRestored(join(ground, 'to strange'))
    expect(readdirSync(real)).toEqual(['söurce'])
  })

  it('may be relative to where the command runs, and on another file system', async () => {
    const before = process.cwd()
    const elsewhere = mkdtempSync('/dev/shm/holdfast-tärget-')
    try {
      process.chdir(ground)
      await expectRestored('relatïve', join(ground, 'relatïve'))
      await expectRestored(join(elsewhere, 'ä'))
    } finally {
      process.chdir(before)
      rmSync(elsewhere, { recursive: true })
    }
  })

  it('is refused where the name was lost on the way here, is none, or leads nowhere', async () => {
    const lost = join(ground, `lost\ufffd`)
    await expect(world.restore(lost)).rejects.toMatchObject({ code: 'arguments' })
    expect(existsSync(lost)).toBe(false)
    await expect(world.restore('')).rejects.toMatchObject({ code: 'arguments' })
    await expect(world.restore(`${ground}/a\0b`)).rejects.toMatchObject({ code: 'arguments' })
    symlinkSync('nowhere', join(ground, 'dangling'))
    await expect(world.restore(join(ground, 'dangling'))).rejects.toMatchObject({ code: 'arguments' })
    await expect(world.restore(join(ground, 'x'.repeat(300)))).rejects.toMatchObject({ code: 'denied' })
  })
})
