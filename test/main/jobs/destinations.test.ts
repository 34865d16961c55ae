import { describe, expect, it } from 'vitest'
import { providers, writeAddress } from '../../../main/api/providers.ts'
import { exampleValues } from '../../engine/protocol/providers/example-values.ts'
import { rejects, setUp } from './handlers-world.ts'

describe.each(providers)('a job that goes to $name', (provider) => {
  const destination = { type: 'provider', provider: provider.id, values: exampleValues(provider) } as const
  const required = provider.secrets.filter((secret) => secret.required)
  const storage = Object.fromEntries(required.map(({ name }) => [name, `secret ${name}`]))
  const address = writeAddress(provider, destination.values)

  it('is made with every secret that the storage asks for and no other, after a yes', async () => {
    const { handlers, ask, asked, kept, store } = setUp()
    const add = (given: Readonly<Record<string, string>> | undefined) => handlers['job.add']({ config: ask({ destination }), secrets: { password: 'pw', ...(given && { storage: given }) } })
    for (const { name } of required) {
      const { [name]: _gone, ...others } = storage
      await rejects(add(others), { code: 'arguments', data: { field: 'secrets.storage', secret: name } })
    }
    if (required.length > 0) await rejects(add(undefined), { code: 'arguments', data: { field: 'secrets.storage' } })
    await rejects(add({ ...storage, accessToken: 'of somebody' }), { code: 'arguments', data: { field: 'secrets.storage' } })
    expect([asked, store.all]).toEqual([[], []])
    const { jobId } = await add(storage)
    expect(asked).toHaveLength(1)
    expect(kept(jobId)).toEqual({ password: 'pw', storage })
  })

  it('is asked about once, also for another folder in it, and again for another account or server', async () => {
    const { handlers, ask, asked } = setUp()
    const add = (name: string, values: Readonly<Record<string, string>>) => handlers['job.add']({ config: ask({ name, destination: { ...destination, values } }), secrets: { password: 'pw', storage } })
    await add('first', destination.values)
    const path = provider.fields.find(({ at }) => at === 'path')?.name
    if (path !== undefined) await add('second', { ...destination.values, [path]: `${destination.values[path] ?? '/x'}x` })
    expect(asked).toHaveLength(1)
    for (const { name, at, choices } of provider.fields) {
      const old = destination.values[name]
      if (at === 'path' || choices || old === undefined) continue
      const before = asked.length
      await add(`other ${name}`, { ...destination.values, [name]: at === 'port' ? '4711' : `${old}x` })
      expect(asked.length, name).toBe(before + 1)
    }
  })

  it('gives its engine the address without secrets, and the secrets apart', async () => {
    const { handlers, ask, last } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask({ destination }), secrets: { password: 'pw', storage } })
    await handlers['job.run']({ jobId })
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { type: 'backup', repository: address }, secrets: { password: 'pw', storage } })
    for (const secret of Object.values(storage)) expect(address).not.toContain(secret)
  })

  it(provider.runsHere ? 'is not even tried before a yes, as a program of this machine is started for it' : 'is tried at once, with what was typed', async () => {
    const { handlers, ask, shown, asked, person, hosts, last } = setUp()
    person.saysYes = false
    const test = (jobId?: string): Promise<unknown> => Promise.resolve(handlers['destination.test']({ destination, secrets: { storage }, ...(jobId !== undefined && { jobId }) })).catch((error: unknown) => error)
    const first = test()
    if (provider.runsHere) {
      expect(await first).toMatchObject({ code: 'aborted', data: { declined: true } })
      expect([asked.length, hosts.length]).toEqual([1, 0])
      person.saysYes = true
      const { jobId } = await handlers['job.add']({ config: ask(), secrets: { password: 'pw' } })
      person.saysYes = false
      await rejects(handlers['job.update']({ jobId, config: { ...shown(jobId), destination }, secrets: { password: 'pw', storage } }), { code: 'aborted' })
      expect([asked.length, hosts.length]).toEqual([2, 0])
      return
    }
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { type: 'test', repository: address }, secrets: { password: '', storage } })
    last().exit('code 1')
    expect(await first).toMatchObject({ code: 'crashed' })
    expect(asked).toEqual([])
  })
})
