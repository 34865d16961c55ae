import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makePrivateFolder } from '../../engine/base/private-folder.ts'
import { keepNativeMemorySmall } from '../../engine/base/memory.ts'
import { openNames } from '../../engine/catalog/names/database.ts'
import { NameSearch } from '../../engine/catalog/names/search.ts'
import { takeIn } from '../../engine/commands/names/take-in.ts'
import type { BlobId, TreeNode } from '../../engine/snapshot/node.ts'
import { encodeLeaf } from '../../engine/snapshot/tree.ts'

/**
 * How large the index of names is, and how long it takes to fill and to search: a snapshot of `--entries` files in up to 4096 folders, and one more in which
 * one folder in a hundred has changed. Names are those of a household: photos, mails, documents, sources. Prints seconds, bytes, milliseconds and peak memory.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { entries: { type: 'string', default: '5000000' } } })
  const folders = Math.ceil(Number(values.entries) / perFolder)
  await keepNativeMemorySmall()
  const home = mkdtempSync(join(tmpdir(), 'holdfast-names-'))
  try {
    makePrivateFolder(join(home, 'catalogs'))
    const database = openNames(home, 'bench')
    const { signal } = new AbortController()
    for (const revision of [1, 2]) {
      const started = performance.now()
      await takeIn(database, (id) => Promise.resolve(tree(id, folders)), [{ jobKey: 'k', host: 'h', job: 'j', revision, id: `j@${revision}`, finishedMs: revision, root: idOf(0, revision) }], { mostVersions: 100_000_000, signal })
      console.log(`snapshot ${revision}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
    }
    database.pragma('wal_checkpoint(TRUNCATE)')
    database.close()
    const bytes = statSync(join(home, 'catalogs', 'bench', 'names.db')).size
    console.log(`${folders * perFolder} entries: ${(bytes / 1e6).toFixed(0)} MB, ${(bytes / folders / perFolder).toFixed(0)} bytes each, peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`)
    await searchAll(home, folders)
  } finally {
    rmSync(home, { recursive: true })
  }
}

async function searchAll(home: string, folders: number): Promise<void> {
  const database = openNames(home, 'bench')
  for (const text of ['invoice', 'img', 'IMG_00421', 'zürich tax', 'report 2019 final', 'x', 'in', 'nothing like this', 'index.ts', 'aeiou', `mail-${folders - 2 - (folders % 4)}-77:`]) {
    const search = new NameSearch(database)
    const times: number[] = []
    let found = 0
    for (let round = 0; round < 5; round++) {
      const started = performance.now()
      found = (await search.search({ text, limit: 100 }, () => Promise.resolve())).entries.length
      times.push(performance.now() - started)
    }
    console.log(`${text.padEnd(24)} first ${(times[0] ?? 0).toFixed(1)} ms, then ${Math.min(...times).toFixed(1)} ms, ${found} of at most 100`)
  }
  const started = performance.now()
  const path = Buffer.from(`folder 0/${nameOf(0, 5)}`)
  const versions = new NameSearch(database).versions({ jobKey: 'k', host: 'h' }, path)
  console.log(`versions of a path        ${(performance.now() - started).toFixed(1)} ms, ${versions.length}`)
  database.close()
}

const perFolder = 1250
const words = ['invoice', 'report', 'tax', 'letter', 'holiday', 'Zürich', 'scan', 'final', 'draft', 'notes', 'budget', 'contract', 'photo', 'recipe', 'school', 'garden', 'insurance', 'backup', 'presentation', 'thesis']

function nameOf(folder: number, index: number): string {
  const at = folder * perFolder + index
  const word = (shift: number): string => words[(at * 7919 + shift * 104_729 + folder) % words.length] ?? ''
  switch (folder % 4) {
    case 0: return `${word(1)} ${word(2)} ${2000 + (at % 25)}-${at % 977}.pdf`
    case 1: return `IMG_${String(at).padStart(8, '0')}.jpg`
    case 2: return `mail-${folder}-${index}:2,S`
    default: return index % 10 === 0 ? 'index.ts' + (index === 0 ? '' : String(index)) : `${word(1)}-${word(2)}-${index % 300}.ts${index}`
  }
}

/** A number in the first bytes says which tree it is: 0 the root, n folder n - 1; the rest differs by the revision that changed it. */
function idOf(number: number, revision: number): BlobId {
  const id = createHash('sha256').update(`${number} ${number === 0 || number % 100 === 1 ? revision : 1}`).digest()
  id.writeUInt32BE(number, 0)
  id.writeUInt32BE(revision, 4)
  if (number > 0 && number % 100 !== 1) id.writeUInt32BE(1, 4)
  return id
}

const attributes = { mode: 0o644, uid: 0, gid: 0 }

function tree(id: BlobId, folders: number): Uint8Array {
  const number = Buffer.from(id).readUInt32BE(0)
  const revision = Buffer.from(id).readUInt32BE(4)
  const nodes = number === 0
    ? Array.from({ length: Math.min(folders, 4096) }, (_, at): TreeNode => ({ ...attributes, type: 'directory', name: Buffer.from(`folder ${at}`), mtimeNs: 0n, tree: idOf(at + 1, revision) }))
    : Array.from({ length: perFolder }, (_, at): TreeNode => fileNode(nameOf(number - 1, at), revision))
  return encodeLeaf(nodes.sort((a, b) => Buffer.compare(a.name, b.name)).filter((node, at, all) => at === 0 || Buffer.compare(all[at - 1]?.name ?? node.name, node.name) !== 0))
}

function fileNode(name: string, revision: number): TreeNode {
  const id = createHash('sha256').update(`${name} ${revision}`).digest()
  return { ...attributes, type: 'file', name: Buffer.from(name), mtimeNs: 1_600_000_000_000_000_000n, ctimeNs: 0n, inode: 1n, device: 1n, size: id.readUInt32BE(0) % 10_000_000, sparse: false, linkCount: 1, content: { depth: 0, ids: [id] } }
}

await main()
