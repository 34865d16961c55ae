import { expect, test } from 'vitest'
import type { UnusualReason } from '../../../engine/protocol/changes.ts'
import { heldBy, holdsOf, type HoldCandidate } from '../../../engine/snapshot/hold.ts'

const reason = (code: UnusualReason['code']): UnusualReason => ({ code, files: 1, bytes: 1, of: 2 })
const snapshot = (revision: number, code?: UnusualReason['code'], more: Partial<HoldCandidate> = {}): HoldCandidate => ({
  id: `docs@${revision}`, job: 'docs', host: 'desk', revision, finishedMs: revision, fine: false, ...(code ? { unusual: [reason(code)] } : {}), ...more,
})
/** Ids that are held. */
const held = (...snapshots: HoldCandidate[]): string[] => {
  const holds = holdsOf(snapshots)
  return snapshots.filter((each) => heldBy(each, holds)).map(({ id }) => id)
}

test.each<[string, HoldCandidate[], string[]]>([
  ['nothing unusual holds nothing', [snapshot(1), snapshot(2)], []],
  ['an unusual one holds itself and what is older', [snapshot(1), snapshot(2), snapshot(3, 'removed'), snapshot(4)], ['docs@1', 'docs@2', 'docs@3']],
  ['until somebody says that it is fine', [snapshot(1), snapshot(2, 'removed', { fine: true }), snapshot(3)], []],
  ['a second one is held too, and not what lies between', [snapshot(1), snapshot(2, 'scrambled'), snapshot(3), snapshot(4, 'removed'), snapshot(5)], ['docs@1', 'docs@2', 'docs@4']],
  ['the first being fine, the second holds all before it', [snapshot(1), snapshot(2, 'scrambled', { fine: true }), snapshot(3), snapshot(4, 'removed')], ['docs@1', 'docs@2', 'docs@3', 'docs@4']],
  ['a source that is empty holds', [snapshot(1), snapshot(2, 'source-changed')], ['docs@1', 'docs@2']],
  ['until it is there again', [snapshot(1), snapshot(2, 'source-changed'), snapshot(3, 'source-changed'), snapshot(4)], []],
])('%s', (_name, snapshots, expected) => {
  expect(held(...snapshots)).toEqual(expected)
  expect(held(...snapshots.toReversed())).toEqual(expected.toReversed())
})

test('neither other jobs and hosts nor what was synced from elsewhere are held', () => {
  const others = [snapshot(1, undefined, { job: 'photos' }), snapshot(1, undefined, { host: 'laptop' }), snapshot(1, undefined, { syncedFrom: 'a' })]
  expect(held(...others, snapshot(2, 'rewritten'))).toEqual(['docs@2'])
})
