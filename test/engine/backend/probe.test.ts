import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Body, ObjectInfo, PutOptions } from '../../../engine/backend/backend.ts'
import { openMemory } from '../../../engine/backend/memory/memory.ts'
import { probeBackend } from '../../../engine/backend/probe.ts'
import { BackendWrapper } from '../../../engine/backend/wrappers/wrapper.ts'
import { names } from '../../suites/backend-contract.ts'

const never = new AbortController().signal

/** Answers all that is asked meanwhile at once, and counts how often it has to. */
class InRounds extends BackendWrapper {
  rounds = 0
  creations = 0
  #round: Promise<undefined> | undefined

  override async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    if (options.ifAbsent === true) this.creations++
    await this.#answer()
    await super.put(name, body, options, signal)
  }

  override async *list(prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
    await this.#answer()
    yield* super.list(prefix, signal)
  }

  override async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#answer()
    await super.remove(name, signal)
  }

  #answer(): Promise<undefined> {
    return (this.#round ??= setImmediate(undefined).then(() => {
      this.#round = undefined
      this.rounds++
      return undefined
    }))
  }
}

test('all that can be tried side by side is: a far storage is waited for three times, and nothing is left there', async () => {
  const backend = new InRounds(openMemory(randomUUID()))
  expect(await probeBackend(backend, never)).toEqual({ exclusiveCreate: true, listsAtOnce: true })
  expect(backend.rounds).toBe(3)
  expect(await names(backend, '')).toEqual([])
})

test('a storage that creates nothing exclusively is asked for the list alone', async () => {
  const bare = openMemory(randomUUID())
  const backend = new InRounds(bare, { ...bare.traits, exclusiveCreate: false })
  expect(await probeBackend(backend, never)).toEqual({ exclusiveCreate: false, listsAtOnce: true })
  expect(backend.creations).toBe(0)
})
