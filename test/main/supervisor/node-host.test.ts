import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { EngineProcess } from '../../../main/supervisor/process.ts'
import type { ProcessExit } from '../../../main/supervisor/process.ts'
import { nodeHost } from '../../../main/supervisor/node-host.ts'
import { systemTimers } from '../../../main/system/timers.ts'
import { backupJob } from '../fakes.ts'

const environment = { ...process.env, HOLDFAST_PASSWORD: 'hunter2', AWS_SECRET_ACCESS_KEY: 'x', MY_TOKEN: 'y' }
const engine = fileURLToPath(new URL('fixtures/engine.cjs', import.meta.url))

function start(name: string, node = process.execPath) {
  const lines: string[] = []
  const one = new EngineProcess({ job: { ...backupJob, name }, secrets: { password: 'hunter2', storage: {} }, limits: {} }, {
    startHost: nodeHost({ node, engine, environment }),
    timers: systemTimers,
    onEvent: () => undefined,
    onOutput: (line) => lines.push(line),
  })
  return { one, lines }
}

function details(exit: ProcessExit): unknown {
  return exit.type === 'finished' ? exit.summary.details : exit
}

describe('an engine in a Node of its own', () => {
  it('runs, answers in exact bytes, and gets no secret by environment or arguments', async () => {
    const found = details(await start('finish').one.exited)
    expect(found).toMatchObject({ argv: [], bytes: new Uint8Array([1, 2, 255]) })
    const shown = JSON.stringify(found)
    expect(shown).toContain('PATH')
    for (const secret of ['HOLDFAST_PASSWORD', 'AWS_SECRET', 'MY_TOKEN']) expect(shown).not.toContain(secret)
  })

  it('that is killed, or throws, has crashed; what it printed is kept', async () => {
    const [killed, thrown] = [start('crash'), start('throw')]
    expect(await killed.one.exited).toMatchObject({ type: 'crashed', detail: expect.stringContaining('SIGKILL') as string })
    expect(await thrown.one.exited).toMatchObject({ type: 'crashed' })
    expect(thrown.lines.join('\n')).toContain('boom')
  })

  it('that spins is killed when its grace ends', async () => {
    const { one } = start('spin')
    one.stop('cancel', 300)
    expect(await one.exited).toMatchObject({ type: 'crashed', reason: 'killed' })
  })

  it('that cannot be started has crashed', async () => {
    const { one } = start('finish', '/nonexistent/node')
    expect(await one.exited).toMatchObject({ type: 'crashed', detail: expect.stringContaining('not started') as string })
  })
})
