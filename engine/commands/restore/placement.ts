import type { BigIntStats } from 'node:fs'
import { HoldfastError } from '../../base/errors.ts'
import type { OverwriteRule } from '../../protocol/restore-rules.ts'
import type { TreeNode } from '../../snapshot/node.ts'
import type { EntryWriter } from '../../target/entry-writer.ts'
import type { EntryPlace } from '../../target/folders.ts'
import type { BesideNames } from './beside.ts'

type OtherNode = Extract<TreeNode, { type: 'symlink' | 'fifo' }>

/** What becomes of an entry where something stands in its place. */
type Fate = 'here' | 'stays' | 'beside'

/** Where links and what is no file go, as the rule says; of files the FilePlanner decides, which looks into them. */
export class Placement {
  readonly #entries: EntryWriter
  readonly #rule: OverwriteRule

  constructor(entries: EntryWriter, rule: OverwriteRule) {
    this.#entries = entries
    this.#rule = rule
  }

  /** @param first the name of the same file that is restored already. @returns undefined: what is there stays. Errors: of the file system. */
  link(place: EntryPlace, { mtimeNs }: TreeNode, first: EntryPlace, names: BesideNames): Promise<EntryPlace | undefined> {
    return this.#place(place, names, (there) => {
      if (this.#rule === 'older') return there.isFile() && there.mtimeNs <= mtimeNs ? 'here' : 'stays'
      const original = this.#entries.look(first.folder, first.name)
      return original?.ino === there.ino && original.dev === there.dev ? 'here' : 'beside'
    })
  }

  /** As of link. */
  other(place: EntryPlace, node: OtherNode, names: BesideNames): Promise<EntryPlace | undefined> {
    return this.#place(place, names, (there, at) => {
      const same = node.type === 'symlink' ? there.isSymbolicLink() : there.isFIFO()
      if (this.#rule === 'older') return same && there.mtimeNs <= node.mtimeNs ? 'here' : 'stays'
      return same && (node.type === 'fifo' || this.#entries.readLink(at).equals(node.target)) ? 'stays' : 'beside'
    })
  }

  async #place(place: EntryPlace, names: BesideNames, fate: (there: BigIntStats, at: EntryPlace) => Fate): Promise<EntryPlace | undefined> {
    if (this.#rule === 'changed' || this.#rule === 'always') return place
    const decide = (at: EntryPlace): Fate => {
      const there = this.#entries.look(at.folder, at.name)
      return !there ? 'here' : this.#rule === 'never' ? 'stays' : fate(there, at)
    }
    const found = decide(place)
    if (found !== 'beside') return found === 'here' ? place : undefined
    for await (const name of names(place.name)) {
      const at = { folder: place.folder, name }
      const beside = decide(at)
      if (beside !== 'beside') return beside === 'here' ? at : undefined
    }
    throw noName()
  }
}

/** Where a thousand names are taken, something else is wrong than that. */
export function noName(): HoldfastError {
  return new HoldfastError('unsafe-path', 'not restored: all names beside what is there are taken')
}
