import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, type Browser } from '../../../../engine/commands/browse.ts'
import { imageFacts } from '../../../../engine/commands/preview/image.ts'
import { mostComparedBytes, mostComparedLines, mostImageBytes, mostTextBytes, type FilePreview, type TextComparison } from '../../../../engine/protocol/preview.ts'
import { testFolder, type TestFolder } from '../../small-repository.ts'
import { backUp, testContext } from '../run-support.ts'

let folder: TestFolder
let browser: Browser

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGP4z8AAQQxwFgBB0gX7h/C5SAAAAABJRU5ErkJggg==', 'base64')
const wide = Buffer.from(png)
wide.writeUInt32BE(100_000, 16)
wide.writeUInt32BE(100_000, 20)
const euros = '\u20ac'.repeat(mostTextBytes)
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${String(from + index)}\n`).join('')

const first: Readonly<Record<string, string | Buffer>> = {
  'letter é.txt': 'Dear Zoë,\nall is lost\n', long: euros, nothing: '', binary: Buffer.from([0x7f, 0x45, 0, 1]), latin: Buffer.from('caf\xe9', 'latin1'), utf16: Buffer.from('\ufeffgrün', 'utf16le'),
  'red.png': png, 'wide.png': wide, 'huge.png': Buffer.concat([png, Buffer.alloc(mostImageBytes)]), same: 'same', big: 'x'.repeat(mostComparedBytes + 1), many: lines(0, 1200), apart: lines(0, 60_000).replaceAll('line', 'a'),
}
const second: typeof first = { ...first, 'letter é.txt': 'Dear Zoë,\nall is well\ntruly\n', many: lines(5000, 6200), apart: lines(70_000, 130_000).replaceAll('line', 'b'), binary: Buffer.from([0, 2]) }

beforeAll(async () => {
  folder = await testFolder()
  const source = join(folder.path, 'source')
  mkdirSync(source)
  symlinkSync('same', join(source, 'link'))
  for (const files of [first, second]) {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(source, name), content)
    await backUp(folder, source)
  }
  browser = await openBrowser({ type: 'browse', repository: folder.repository, home: folder.home, concurrency: 2 }, testContext())
}, 60_000)

afterAll(async () => {
  await browser[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function preview(name: string): Promise<FilePreview> {
  const answer = await browser.answer({ type: 'preview', snapshot: 'job@1', path: Buffer.from(`source/${name}`) })
  if (answer.type !== 'previewed') throw new Error(JSON.stringify(answer))
  return answer.preview
}

function compare(name: string): Promise<TextComparison> {
  return browser.compare({ older: 'job@1', newer: 'job@2', path: Buffer.from(`source/${name}`) })
}

describe('a preview', () => {
  it.each<[string, FilePreview]>([
    ['letter é.txt', { kind: 'text', text: 'Dear Zoë,\nall is lost\n', size: 23, complete: true }],
    ['utf16', { kind: 'text', text: 'grün', size: 10, complete: true }],
    ['nothing', { kind: 'none', reason: 'empty', size: 0 }],
    ['binary', { kind: 'none', reason: 'binary', size: 4 }],
    ['latin', { kind: 'none', reason: 'binary', size: 4 }],
    ['link', { kind: 'none', reason: 'no-file', size: 0 }],
    ['wide.png', { kind: 'none', reason: 'large', size: png.length }],
    ['huge.png', { kind: 'none', reason: 'large', size: png.length + mostImageBytes }],
    ['red.png', { kind: 'image', format: 'png', width: 3, height: 2, bytes: Uint8Array.from(png), size: png.length }],
  ])('of %s', async (name, expected) => { expect(await preview(name)).toEqual(expected) })

  it('of a long text is its beginning, and no half character', async () => {
    const found = await preview('long')
    expect(found).toMatchObject({ kind: 'text', complete: false, size: 3 * mostTextBytes })
    expect(found.kind === 'text' && /^\u20ac+$/.test(found.text) && Buffer.byteLength(found.text)).toBe(mostTextBytes - (mostTextBytes % 3))
  })

  it('of what is not there is an error', async () => {
    expect(await browser.answer({ type: 'preview', snapshot: 'job@1', path: Buffer.from('source/none') })).toMatchObject({ type: 'error', error: { code: 'not-found' } })
    expect(await browser.answer({ type: 'preview', snapshot: 'job@1', path: Buffer.from('../../etc/passwd') })).toMatchObject({ type: 'error', error: { code: 'not-found' } })
  })
})

describe('a comparison of two versions', () => {
  it('tells what was added and removed, with what stands around it', async () => {
    expect(await compare('letter é.txt')).toEqual({ kind: 'lines', added: 2, removed: 1, complete: true, hunks: [{ olderLine: 1, newerLine: 1, lines: [
      { kind: 'same', text: 'Dear Zoë,' }, { kind: 'removed', text: 'all is lost' }, { kind: 'added', text: 'all is well' }, { kind: 'added', text: 'truly' },
    ] }] })
  })

  it('is bounded', async () => {
    const many = await compare('many')
    expect(many).toMatchObject({ kind: 'lines', added: 1200, removed: 1200, complete: false })
    expect(many.kind === 'lines' && many.hunks.flatMap((hunk) => hunk.lines)).toHaveLength(mostComparedLines)
    expect(await compare('apart')).toEqual({ kind: 'none', reason: 'many' })
  })

  it.each<[string, TextComparison]>([['same', { kind: 'same' }], ['big', { kind: 'none', reason: 'large' }], ['binary', { kind: 'none', reason: 'binary' }], ['link', { kind: 'none', reason: 'no-file' }]])(
    'of %s has a word instead', async (name, expected) => { expect(await compare(name)).toEqual(expected) })
})

describe('the size of a picture', () => {
  it('is read from GIF, WebP and JPEG too', () => {
    expect(imageFacts(Buffer.from('GIF89a\x05\x00\x07\x00', 'latin1'))).toEqual({ format: 'gif', width: 5, height: 7 })
    const webp = Buffer.alloc(30)
    webp.write('RIFF', 0, 'latin1')
    webp.write('WEBPVP8X', 8, 'latin1')
    webp.writeUIntLE(639, 24, 3)
    webp.writeUIntLE(479, 27, 3)
    expect(imageFacts(webp)).toEqual({ format: 'webp', width: 640, height: 480 })
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc2, 0, 17, 8, 1, 0, 2, 0, 3])
    expect(imageFacts(jpeg)).toEqual({ format: 'jpeg', width: 512, height: 256 })
  })

  it.each([Buffer.alloc(0), Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([0xff, 0xd8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]), Buffer.from('GIF89a\0\0\0\0', 'latin1'), Buffer.from('%PDF-1.7 and more than that')])(
    'is not made up: %#', (bytes) => { expect(imageFacts(bytes)).toBeUndefined() })
})
