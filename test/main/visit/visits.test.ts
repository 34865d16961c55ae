import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BrowseAnswer, MachineRecord } from '../../../engine/protocol/messages.ts'
import type { DestinationInput } from '../../../main/api/contract.ts'
import { toWire } from '../../../main/api/errors.ts'
import { providers } from '../../../main/api/providers.ts'
import { exampleValues } from '../../engine/protocol/providers/example-values.ts'
import { settle } from '../fakes.ts'
import { inBucket, rejects, secrets, setUp } from '../jobs/handlers-world.ts'

const words = 'legal winner thank year wave sausage worth useful legal winner thank yellow'
const repositoryId = 'ab'.repeat(16)

function opening() {
  const world = setUp()
  const folder: DestinationInput = { type: 'folder', folder: world.chosen('destination', '/mnt/disk/backup') }
  const open = (destination: DestinationInput = folder, typed: { readonly password?: string; readonly storage?: Record<string, string> } = { password: words }) => Promise.resolve(world.handlers['visit.open']({ destination, secrets: typed }))
  const answers = (request: number, answer: BrowseAnswer): void => { world.last().says({ type: 'answer', request, answer }) }
  /** Opens it, as an engine that finds these machines does. */
  const opened = async (machines: readonly MachineRecord[] = []): Promise<string> => {
    const asked = open()
    await settle()
    world.last().ready()
    answers(1, { type: 'machines', repositoryId, machines })
    return (await asked).visitId
  }
  return { ...world, open, answers, opened }
}

describe('a backup that no job goes to', () => {
  it('is opened by an engine that gets what was typed, is seen, and is browsed by the same engine', async () => {
    const { open, opened, answers, hosts, last, handlers, visits } = opening()
    const visitId = await opened()
    expect(last().got('start')[0]).toMatchObject({ job: { type: 'browse', repository: 'file:///mnt/disk/backup', acceptOtherRepository: true }, secrets: { password: words, storage: {} } })
    expect(visits.current?.place).toMatchObject({ id: visitId, name: '/mnt/disk/backup', repository: { repositoryId } })
    const asked = handlers['browse.snapshots']({ place: { visitId } })
    answers(2, { type: 'snapshots', snapshots: [], missed: [], held: [] })
    expect(await asked).toEqual({ snapshots: [], missed: [] })
    expect(hosts).toHaveLength(1)
    // Another one takes its place.
    void open().catch(() => undefined)
    await rejects((async () => handlers['browse.snapshots']({ place: { visitId } }))(), { code: 'not-found', data: { reason: 'visit' } })
  })

  it('is restored from; the restore takes no other repository, and goes on when the visit ends', async () => {
    const { opened, handlers, chosen, last, restores, visits, hosts, person, asked } = opening()
    const visitId = await opened()
    const request = { place: { visitId }, snapshot: 'docs@1', paths: [], except: [], overwrite: 'never' } as const
    person.saysYes = false
    await rejects(handlers['restore.start']({ ...request, target: chosen('restore', '/home/u/.config') }), { code: 'aborted' })
    expect(asked.map(({ title }) => title)).toEqual(['Restore into /home/u/.config?'])
    await handlers['restore.start']({ ...request, target: chosen('restore', '/tmp/out') })
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { type: 'restore', target: '/tmp/out', expectRepositoryId: repositoryId }, secrets: { password: words } })
    await handlers['visit.close']({ visitId })
    expect(visits.current).toBeUndefined()
    expect(hosts[0]?.got('stop')).toEqual([{ type: 'stop', mode: 'cancel' }])
    last().finish({ operation: 'restore' })
    await settle()
    expect(restores.views).toMatchObject([{ from: '/mnt/disk/backup', place: { visitId }, result: { outcome: 'success' } }])
    await rejects(handlers['restore.start']({ ...request, target: chosen('restore', '/tmp/out') }), { code: 'not-found' })
  })

  it.each([
    [words.replace('winner', 'winter'), 'One of the words is wrong, or they are not in their order. Compare them with the page one by one.'],
    [words.replace('winner', 'winnerr'), 'Word 2 is not one of the words that recovery keys are made of. Look at its spelling.'],
    [words.replace(' yellow', ''), 'There are 12 recovery words, and 11 were given.'],
    [words, undefined],
    ['tulip gravel omen lamp', undefined],
  ])('says what is wrong with recovery words, where that can be seen', async (typed, advice) => {
    const { open, last } = opening()
    const refused = open(undefined, { password: typed })
    await settle()
    last().ready()
    last().says({ type: 'failed', error: { code: 'password', message: 'wrong', retryable: false } })
    last().exit('code 1')
    const error = toWire(await refused.catch((thrown: unknown) => thrown))
    expect(error.code).toBe('password')
    expect(error.data?.['advice']).toBe(advice)
  })

  it('is not open where its engine says no, and where somebody closed it meanwhile', async () => {
    const { open, last, visits, answers, handlers } = opening()
    const refused = open()
    await settle()
    last().ready()
    last().says({ type: 'failed', error: { code: 'password', message: 'wrong', retryable: false } })
    last().exit('code 1')
    await expect(refused).rejects.toMatchObject({ wire: { code: 'password' } })
    expect(visits.current).toBeUndefined()
    const left = open()
    await settle()
    last().ready()
    visits.end()
    answers(1, { type: 'machines', repositoryId, machines: [] })
    await expect(left).rejects.toBeDefined()
    expect(visits.current).toBeUndefined()
    await handlers['visit.close']({ visitId: 'another' })
  })

  it('on the network is asked about before anything is read there, and needs its keys', async () => {
    const { open, person, asked, hosts, last } = opening()
    await rejects(open(inBucket(), { password: 'pw' }), { code: 'arguments', data: { field: 'secrets.storage' } })
    await rejects(open(inBucket(), { storage: secrets.storage }), { code: 'arguments', data: { field: 'secrets.password' } })
    person.saysYes = false
    await rejects(open(inBucket(), secrets), { code: 'aborted', data: { declined: true } })
    expect(asked).toMatchObject([{ title: 'Open the backup at bucket/a b/c on 127.0.0.1:8000?', yes: 'Open it' }])
    expect(hosts).toEqual([])
    person.saysYes = true
    void open(inBucket(), secrets).catch(() => undefined)
    await settle()
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ secrets })
  })

  it.each(providers)('at $name is asked about', async (provider) => {
    const { open, person, asked, hosts } = opening()
    const storage = Object.fromEntries(provider.secrets.filter(({ required }) => required).map(({ name }) => [name, 'x']))
    person.saysYes = false
    await rejects(open({ type: 'provider', provider: provider.id, values: exampleValues(provider) }, { password: 'pw', ...(provider.secrets.length > 0 && { storage }) }), { code: 'aborted' })
    expect(asked).toHaveLength(1)
    expect(hosts).toEqual([])
  })

  it('leaves nothing on the disk of what opens it', async () => {
    const { opened, folder, lines, visits } = opening()
    await opened()
    visits.end()
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile())
    for (const path of files) expect(readFileSync(path, 'utf8'), path).not.toContain('sausage')
    expect(JSON.stringify(lines)).not.toContain('sausage')
  })
})
