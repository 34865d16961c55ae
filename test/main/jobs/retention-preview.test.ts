import { expect, it } from 'vitest'
import type { ForgetDetails } from '../../../engine/commands/forget.ts'
import { settle } from '../fakes.ts'
import { rejects, setUp } from './handlers-world.ts'

const made = (at: number) => ({ id: `docs@${at}`, finishedMs: at })
const details: ForgetDetails = {
  forgotten: ['docs@1'], kept: ['docs@2', 'docs@3'], damaged: 0, ofOtherHosts: 0, estimate: { keptBytes: 9, freedBytes: 1_200 },
  groups: [
    { job: 'docs', host: 'h', kept: [{ ...made(3), reasons: ['last'] }], forgotten: [{ ...made(1), because: 'rules' }] },
    { job: 'docs', host: 'other', kept: [{ ...made(2), reasons: ['newest'] }], forgotten: [] },
  ],
}

it('a preview plans only, for the snapshots of the job, and tells what stays and what it frees; one at a time', async () => {
  const { handlers, add, learn, last, hosts } = setUp()
  const jobId = await add('docs')
  await rejects(handlers['retention.preview']({ jobId, retention: { last: 2 } }), { code: 'not-found', data: { reason: 'no-snapshot' } })
  await learn(jobId, 'ab', undefined)
  const asked = handlers['retention.preview']({ jobId, retention: { last: 2 } })
  await rejects(handlers['retention.preview']({ jobId, retention: { last: 2 } }), { code: 'busy' })
  last().ready()
  expect([hosts.length, last().got('start')[0]]).toMatchObject([1, { job: { type: 'forget', dryRun: true, snapshots: [], policy: { last: 2 }, name: 'docs', expectRepositoryId: 'ab' } }])
  last().finish({ operation: 'forget', details })
  expect(await asked).toEqual({
    kept: 2, forgotten: 1, oldestKeptMs: 2, freedBytes: 1_200,
    snapshots: [{ finishedMs: 3, host: 'h', stays: ['last'] }, { finishedMs: 2, host: 'other', stays: ['newest'] }, { finishedMs: 1, host: 'h', stays: [] }],
  })
})

it('a preview that fails says why, and the next one may be asked for', async () => {
  const { handlers, add, learn, last, secrets, repositoryOf, timers } = setUp()
  const idle = timers.pending
  const jobId = await add('docs')
  await learn(jobId, 'ab', undefined)
  const ask = () => handlers['retention.preview']({ jobId, retention: { daily: 1 } })
  const offline = ask()
  last().ready()
  last().says({ type: 'failed', error: { code: 'offline', message: '', retryable: true } })
  last().exit('code 1')
  await rejects(offline, { wire: { code: 'offline' } })
  const crashed = ask()
  last().ready()
  last().exit('SIGKILL')
  await rejects(crashed, { code: 'crashed' })
  const senseless = ask()
  last().ready()
  last().finish({ details: { groups: 'none' } })
  await rejects(senseless, { code: 'internal' })
  await settle()
  expect(timers.pending).toBe(idle)
  await secrets.remove(repositoryOf(jobId))
  await rejects(ask(), { code: 'password', data: { missing: true } })
})
