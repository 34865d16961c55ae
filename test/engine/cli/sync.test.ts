import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backUp } from '../commands/run-support.ts'
import { Household } from '../../fixtures/household.ts'
import { password, testFolder } from '../small-repository.ts'
import { callCli } from './in-process.ts'

test('what --remove-vanished leaves is told with why and what ends that, before it is done and after, and by the exit code', { timeout: 120_000 }, async () => {
  await using source = await testFolder()
  await using folder = await testFolder()
  const home = new Household(join(source.path, 'source'), 0.1)
  await backUp(source, home.folder)
  await backUp(source, home.folder, 'gone')
  writeFileSync(join(home.folder, 'more'), 'more')
  await backUp(source, home.folder)
  const sync = (...args: readonly string[]): ReturnType<typeof callCli> => (
    callCli(['sync', '--from', source.repository, ...args], { folder, environment: { HOLDFAST_FROM_PASSWORD: password } })
  )
  expect((await sync()).code).toBe(0)
  home.encrypt(home.files())
  await backUp(source, home.folder)
  expect((await callCli(['forget', 'job@1', 'gone@1'], { folder: source })).code).toBe(0)
  for (const args of [['--dry-run'], []]) {
    const { code, stdout } = await sync('--remove-vanished', ...args)
    expect([code, stdout]).toEqual([2, expect.stringMatching(/^ {4}= job~\w+@1 stays: the group is held at the source$/m)])
    expect(stdout).toMatch(/^ {4}= gone~\w+@1 stays: the source has nothing of the group any more\n {4}If all of it may go: sync with --group "?\S+\/gone"? --remove-vanished$/m)
    expect(stdout).toMatch(/^ {2}held at the source since job@3 of .*: As many as .* holdfast acknowledge job --host \S+ --repo \S+\/repository"?$/m)
    expect(stdout).toMatch(/^ {2}2 warnings$/m)
  }
  const named = await sync('--remove-vanished', '--group', /--group "?([^ "]+)/.exec((await sync('--remove-vanished', '--dry-run')).stdout)?.[1] ?? '')
  expect([named.code, named.stdout]).toEqual([0, expect.stringMatching(/\/gone: 0 copied, 1 forgotten$/m)])
})
