import type { AbstractScenario, Broken } from './world.ts'

/** A flat world: one chunk in one pack, one backup that needs it and one prune that sees no need for it. */
const one: Omit<AbstractScenario, 'name'> = { packs: ['a'], backups: [{ needs: 'a' }], prunes: 1, noAftermath: true }
const snapshot = [{ needs: 'a' }]
/** Tree t names chunk a. The tree lies in one pack and the chunk in another, as in a real repository. */
const tree: Omit<AbstractScenario, 'name'> = { trees: { t: 'a' }, packs: ['t', 'a'], prunes: 1 }
const rootT = [{ needs: 't' }]

/** What it uploaded before its session is collected, and then it counts on what it did not upload. */
const lateAndDeclared: Omit<AbstractScenario, 'name'> = { ...tree, candidates: 'any one', backups: [{ needs: 't', late: true, declares: true }], prunes: 2, noAftermath: true }

/** The copies of prunes are listed pages before the pack that they are made from. */
const flaggedAndPaged: Omit<AbstractScenario, 'name'> = {
  ...tree, packs: ['a', 't'], arbiter: 'flags', page: 4, order: 'backwards', candidates: 'any one', backups: [{ needs: 't' }], prunes: 2, noAftermath: true,
}

/** Worlds that follow the protocol. `quick`: all of them together take a few seconds. */
export const quickScenarios: readonly AbstractScenario[] = [
  { name: 'A1 one backup twice, one prune, retention, lost replies', packs: ['a'], snapshots: snapshot, backups: [{ needs: 'a' }], sessions: 2, prunes: 1, lost: true, forgets: 1 },
  { name: 'A4 two backups of two jobs, one prune', packs: ['a'], backups: [{ needs: 'a' }, { needs: 'a', job: 1 }], prunes: 1 },
  { name: 'A6 repack, one backup, one prune, retention', packs: ['ab'], snapshots: [{ needs: 'b' }], repacks: true, copies: 2, backups: [{ needs: 'ab' }], prunes: 1, forgets: 1 },
  { name: 'E1 trees: one backup twice, one prune, retention', ...tree, snapshots: rootT, backups: [{ needs: 't' }], sessions: 2, forgets: 1 },
  { name: 'E2 trees: a declared session, one prune', ...tree, packs: ['a'], backups: [{ needs: 't', late: true, declares: true }], sessions: 2 },
  { name: 'E3 trees: a tree below a tree that lacks, declared, one prune', trees: { u: 't', t: 'a' }, packs: ['u', 'a'], backups: [{ needs: 'u', late: true, declares: true }], prunes: 1 },
  { name: 'E4 trees: repack of a pack that holds half a closure, one backup, one prune, retention', trees: { t: 'a', u: 'b' }, packs: ['tub', 'a'], snapshots: [{ needs: 'u' }], repacks: true, copies: 2,
    backups: [{ needs: 't' }], prunes: 1, forgets: 1 },
  { name: 'E5 trees: any packs retired, one prune, retention', ...tree, candidates: 'any', copies: 2, snapshots: rootT, backups: [{ needs: 't' }], forgets: 1 },
  { name: 'E6 trees, flags: one backup twice, one prune, retention, lost replies', ...tree, arbiter: 'flags', snapshots: rootT, backups: [{ needs: 't' }], sessions: 2, lost: true, forgets: 1 },
  { name: 'E7 trees: acknowledges, one prune', ...tree, snapshots: rootT, backups: [{ needs: 't', refreshes: true }], forgets: 1 },
  { name: 'E8 a pack of another size than its index says, one backup, one prune', packs: ['a', ''], claims: ['', 'a'], snapshots: snapshot, backups: [{ needs: 'a' }], prunes: 1, candidates: 'any', forgets: 1, noAftermath: true },
  { name: 'E9 a damaged pack, retired by a repair, one backup, one prune', packs: ['ab'], damaged: ['a'], snapshots: [{ needs: 'ab' }], backups: [{ needs: 'b' }], prunes: 1, candidates: 'any', noAftermath: true },
  { name: 'A7 listings of one name per page, one backup, one prune, retention', packs: ['a', 'a'], page: 1, snapshots: snapshot, backups: [{ needs: 'a' }], prunes: 1, forgets: 1 },
]

/** Larger ones, for `npm run model`. */
export const largeScenarios: readonly AbstractScenario[] = [
  { name: 'A1 one backup twice, two prunes, retention, lost replies', packs: ['a'], snapshots: snapshot, backups: [{ needs: 'a' }], sessions: 2, prunes: 2, lost: true, forgets: 1 },
  { name: 'A2 two backups of one job twice, one prune, retention, lost replies', packs: ['a'], snapshots: snapshot, backups: [{ needs: 'a' }, { needs: 'a' }], sessions: 2, prunes: 1, lost: true, forgets: 1 },
  { name: 'A4 two backups of two jobs, two prunes', packs: ['a'], backups: [{ needs: 'a' }, { needs: 'a', job: 1 }], prunes: 2 },
  { name: 'A6 repack, one backup, two prunes, retention', packs: ['ab'], snapshots: [{ needs: 'b' }], repacks: true, copies: 2, backups: [{ needs: 'ab' }], prunes: 2, forgets: 1 },
  { name: 'B8 any packs retired, duplicates, one backup, two prunes, retention', packs: ['a', 'a'], snapshots: snapshot, candidates: 'any', backups: [{ needs: 'a' }], prunes: 2, forgets: 1 },
  { name: 'B15 lost uploads under fresh names, one backup twice, two prunes', packs: [], lostUploads: true, lost: true, backups: [{ needs: 'a' }], sessions: 2, prunes: 2 },
  { name: 'E1 trees: one backup, two prunes, retention', ...tree, snapshots: rootT, backups: [{ needs: 't' }], prunes: 2, forgets: 1 },
  { name: 'E2 trees: a declared session, two prunes, retention', ...tree, snapshots: rootT, backups: [{ needs: 't', late: true, declares: true }], prunes: 2, forgets: 1 },
  { name: 'E3 trees: a tree below a tree lacks, declared, two prunes', trees: { u: 't', t: 'a' }, packs: ['u', 'a'], backups: [{ needs: 'u', declares: true }], prunes: 2 },
  { name: 'E2b trees: any one pack retired, a declared late session, two prunes', ...lateAndDeclared },
  { name: 'E4 trees: repack of half a closure, one backup, two prunes, retention', trees: { t: 'a', u: 'b' }, packs: ['tub', 'a'], snapshots: [{ needs: 'u' }], repacks: true, backups: [{ needs: 't' }], prunes: 2, forgets: 1 },
  { name: 'E5 trees: any one pack retired, one backup, two prunes', ...tree, candidates: 'any one', snapshots: rootT, backups: [{ needs: 't' }], prunes: 2 },
  { name: 'E6 trees, flags: one backup, two prunes, retention', ...tree, arbiter: 'flags', snapshots: rootT, backups: [{ needs: 't' }], prunes: 2, forgets: 1 },
  { name: 'E6b trees, flags: any one pack retired, one backup, two prunes', ...tree, arbiter: 'flags', candidates: 'any one', backups: [{ needs: 't' }], prunes: 2 },
  { name: 'E6c trees, flags: listings in pages, any one pack retired, one backup, two prunes', ...flaggedAndPaged },
  { name: 'E7 trees: acknowledges, two prunes', ...tree, backups: [{ needs: 't', refreshes: true }], prunes: 2 },
  { name: 'A7 listings of one name per page, duplicates, one backup, two prunes', packs: ['a', 'a'], page: 1, snapshots: snapshot, backups: [{ needs: 'a' }], prunes: 2 },
]

/** Each breaks one rule, and loses data for it; with the rule kept the same world loses nothing. */
export const brokenScenarios: readonly (AbstractScenario & { readonly breaks: Broken })[] = [
  { ...one, breaks: 'N01 commits blindly' },
  { ...one, breaks: 'N02 looks, then commits' },
  { ...one, breaks: 'N03 trusts its cache' },
  { ...one, breaks: 'N04 reads before its intent' },
  { ...one, breaks: 'N05 lists packs before records' },
  { ...one, breaks: 'N06 never reads snapshots again' },
  { ...one, breaks: 'N07 lists snapshots before sessions' },
  { ...one, breaks: 'N08 lists sessions before the record' },
  { ...one, breaks: 'N09 no sessions' },
  { ...one, breaks: 'N10 deletes by age' },
  { ...one, packs: [], sessions: 2, prunes: 2, lostUploads: true, breaks: 'N12 repeats a pack upload under its name' },
  { ...one, packs: ['a', 'a'], snapshots: snapshot, backups: [], prunes: 2, candidates: 'any', breaks: 'N14 counts retired packs of others' },
  { ...one, packs: ['a', 'a'], snapshots: snapshot, backups: [], prunes: 2, candidates: 'any', breaks: 'N15 lists packs before the record' },
  { ...one, breaks: 'N16 removes the record first' },
  { ...one, lost: true, forgets: 1, breaks: 'N17 forgets by removing' },
  { ...one, breaks: 'N18 collects tombstones' },
  { ...one, ...tree, packs: ['tub', 'a'], trees: { t: 'a', u: 'b' }, snapshots: [{ needs: 'u' }], backups: rootT, breaks: 'N21 a stored tree vouches for its children' },
  { ...one, breaks: 'N23 expires by removing the intent' },
  { ...one, sessions: 2, breaks: 'N24 and the backup looks for its intent' },
  { ...one, ...tree, packs: ['a'], backups: [{ needs: 't', declares: true }], breaks: 'X1 missing trees of a declared session are no error' },
  { ...lateAndDeclared, name: 'X1b missing trees of a late, declared session are no error', breaks: 'X1 missing trees of a declared session are no error' },
  { ...one, ...tree, arbiter: 'flags', candidates: 'any one', backups: rootT, prunes: 2, breaks: 'X2 missing trees of an unconfirmed snapshot are no error' },
  { ...flaggedAndPaged, breaks: 'X6 believes one listing about the trees of an unconfirmed snapshot' },
  { ...one, packs: ['a', ''], claims: ['', 'a'], snapshots: snapshot, candidates: 'any', breaks: 'X3 expects what an index says of a pack of another size' },
  { ...one, packs: ['ab'], damaged: ['a'], snapshots: [{ needs: 'ab' }], backups: [], candidates: 'any', breaks: 'X4 deletes what it cannot copy' },
  { ...one, backups: [{ needs: 'a', refreshes: true }], breaks: 'X5 acknowledges before it looks again' },
].map((scenario) => ({ name: scenario.breaks, ...scenario }) as AbstractScenario & { readonly breaks: Broken })
