import { afterEach, expect, test, vi } from 'vitest'
import { OwnPermits } from '../../../engine/backend/flow/account-permits.ts'
import type { StorageBackend } from '../../../engine/backend/backend.ts'
import type { CommandContext } from '../../../engine/commands/context.ts'
import { openStorage, type OpenStorage } from '../../../engine/commands/open.ts'
import { withOwner } from '../../fixtures/token-owner.ts'
import { World } from '../../fixtures/world.ts'
import { OneDriveServer } from '../../servers/onedrive.ts'
import { bytesOf, codeOf, names } from '../../suites/backend-contract.ts'
import { FakeClock } from '../backend/fake-clock.ts'

// What the command line does where one account has several users in its process: both ends of a sync, and all of its lanes. Every command
// has its storages from openStorage, a restore too.

const never = new AbortController().signal
const slower = { type: 'answer', status: 429, json: { error: { code: 'activityLimitReached', message: 'Slower.' } }, headers: { 'retry-after': '30' } } as const
const busy = { ...slower, status: 503, json: { error: { code: 'serviceNotAvailable', message: 'Later.' } } } as const

afterEach(() => { vi.unstubAllEnvs() })

async function started(): Promise<OneDriveServer> {
  const server = await OneDriveServer.start()
  vi.stubEnv('HOLDFAST_SERVICE_ONEDRIVE', server.origin)
  return server
}

class OneDriveWorld extends World {
  readonly clock = new FakeClock()
  readonly permits = new OwnPermits(this.clock)

  override context(signal?: AbortSignal): CommandContext {
    return {
      ...super.context(signal), clock: this.clock, permits: (account, cap) => this.permits.forAccount(account, cap),
      ...withOwner({ accessToken: 'token-1' }),
    }
  }

  open(repository: string): Promise<OpenStorage> {
    return openStorage({ ...this.common, type: 'test', repository, patienceMs: 0 }, this.context())
  }
}

const requests: Readonly<Record<string, (backend: StorageBackend) => Promise<unknown>>> = {
  'the put of a pack': (backend) => backend.put('packs/00/new', bytesOf('new'), {}, never),
  'the get of a pack': (backend) => backend.get('packs/00/old', 'all', never),
  'the put of a record': (backend) => backend.put('snapshots/new', bytesOf('new'), {}, never),
  'the get of a record': (backend) => backend.get('snapshots/old', 'all', never),
  'a list': (backend) => names(backend, 'snapshots/'),
  'a question': (backend) => backend.stat('snapshots/old', never),
  'a removal': (backend) => backend.remove('snapshots/gone', never),
  'clearing up': (backend) => backend.abortStaleUploads?.(0, never) ?? Promise.resolve(),
}

test.each(['the put of a pack', 'the get of a record', 'a question', 'a removal'])('what is asked of one at %s, all of the account heed in both storages of a process: nothing begins before', async (refused) => {
  await using server = await started()
  using world = new OneDriveWorld()
  await using one = await world.open('onedrive:/one')
  await using other = await world.open('onedrive:/other')
  for (const { backend } of [one, other]) for (const name of ['packs/00/old', 'snapshots/old', 'snapshots/gone']) await backend.put(name, bytesOf('old'), {}, never)
  for (const fault of [slower, busy]) {
    server.breakNext(() => true, fault, 10)
    expect(['throttled', 'unavailable']).toContain(await codeOf(requests[refused]?.(one.backend) ?? Promise.resolve()))
    server.choose = () => undefined
    const before = server.requests.length
    const done: string[] = []
    const all = [one, other].flatMap(({ backend }) => Object.entries(requests).map(async ([name, ask]) => {
      await ask(backend)
      done.push(name)
    }))
    await world.clock.advance(29_900)
    expect([server.requests.slice(before), done]).toEqual([[], []])
    await world.clock.advance(200)
    await Promise.all(all)
    expect(done).toHaveLength(2 * Object.keys(requests).length)
  }
})
