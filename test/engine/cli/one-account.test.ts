import { expect, test, vi } from 'vitest'
import { createOutput, execute } from '../../../engine/cli/execute.ts'
import { exitCodes } from '../../../engine/cli/exit-codes.ts'
import { testFolder } from '../small-repository.ts'
import { KeptOutput } from './run-here.ts'

test('a command has one owner of permits: both ends of a sync in one account pause together (what that does: commands/one-account.test.ts)', async () => {
  await using folder = await testFolder()
  vi.stubEnv('HOLDFAST_HOME', folder.home)
  vi.stubEnv('HOLDFAST_PASSWORD', 'p')
  const output = createOutput({ json: true }, new KeptOutput())
  const code = await execute({ repo: folder.repository }, output, async ({ context: { permits, clock } }) => {
    const [one, other, another] = ['onedrive:anna', 'onedrive:anna', 'onedrive:bob'].map((account) => permits?.(account, 4).pause)
    one?.heed({ startedMs: 0, finishedMs: clock.monotonic(), throttled: true, retryAfterMs: 30_000 })
    expect(one?.untilMs).toBeGreaterThan(clock.monotonic())
    expect([other?.untilMs, another?.untilMs]).toEqual([one?.untilMs, 0])
    return { exitCode: exitCodes.success, json: {}, text: [] }
  }).finally(() => { vi.unstubAllEnvs() })
  expect(code).toBe(exitCodes.success)
})
