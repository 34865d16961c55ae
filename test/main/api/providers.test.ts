import { describe, expect, it } from 'vitest'
import * as v from 'valibot'
import { providers, checkedValues, placeWords, reachOf, valueProblems } from '../../../main/api/providers.ts'
import type { AddressField } from '../../../main/api/providers.ts'
import { destinationSchema, requests } from '../../../main/api/schemas.ts'
import { storageQuestion } from '../../../main/authority/questions.ts'
import { repositoryUrl } from '../../../main/repositories/address.ts'
import { config, input } from '../jobs/world.ts'
import { exampleValues } from '../../engine/protocol/providers/example-values.ts'

const asked = (destination: unknown): boolean => v.safeParse(requests['job.add'], { config: { ...input, destination }, secrets: { password: 'p' } }).success

describe.each(providers)('$id', (provider) => {
  const values = exampleValues(provider)
  const destination = { type: 'provider', provider: provider.id, values } as const

  it('is a destination with the values of its example, exactly as they are kept', () => {
    expect(valueProblems(provider, values)).toEqual({})
    expect(asked(destination)).toBe(true)
    expect(v.parse(destinationSchema, destination)).toEqual(destination)
    expect(repositoryUrl(destination)).toMatch(new RegExp(`^${provider.schemes[0]}:`))
  })

  it('refuses an unknown field, a wrong value, one that is too long, and the lack of a needed one', () => {
    expect(asked({ ...destination, more: 1 })).toBe(false)
    expect(asked({ ...destination, values: { ...values, unknownField: 'x' } })).toBe(false)
    for (const field of provider.fields) {
      for (const wrong of wrongTexts(field)) expect(asked({ ...destination, values: { ...values, [field.name]: wrong } }), `${field.name}=${wrong.slice(0, 40)}`).toBe(false)
      const { [field.name]: _gone, ...others } = values
      if (field.required) expect(asked({ ...destination, values: others }), field.name).toBe(false)
    }
  })

  it('is asked about with everything that says where it goes, on one line', () => {
    const { title } = storageQuestion({ ...config, destination })
    expect(title).toMatch(/^Send backups to \S.*\?$/)
    for (const { at, kind, name } of provider.fields) {
      const value = values[name]
      if (value === undefined) continue
      if (kind === 'host' || kind === 'origin' || kind === 'url') expect(title).toContain(new URL(kind === 'host' ? `http://${value}` : value).hostname)
      else if (at === 'path' || at === 'host' || at === 'whole' || at === 'user') expect(title).toContain(value)
    }
  })

  it('shows look-alike letters of a server', () => {
    const hosts = provider.fields.filter(({ kind }) => kind === 'host' || kind === 'origin' || kind === 'url')
    for (const { name, kind } of hosts) {
      // A Cyrillic а.
      const { what, where } = placeWords({ ...destination, values: { ...values, [name]: kind === 'host' ? 'аmazon.example' : 'https://аmazon.example' } })
      expect(`${what} ${where}`).toContain('xn--mazon-3ve.example')
    }
  })

  it('says so where what goes there can be read on the way', () => {
    const web = provider.fields.find(({ kind }) => kind === 'origin' || kind === 'url')
    const scheme = provider.fields.find(({ at }) => at === 'scheme')
    const open = [...(web ? [{ [web.name]: 'http://storage.example.org' }] : []), ...(scheme ? [{ [scheme.name]: scheme.choices?.[0]?.value ?? '' }] : [])]
    expect(placeWords(destination).where).not.toContain('not encrypted')
    for (const change of open) expect(placeWords({ ...destination, values: { ...values, ...change } }).where).toMatch(/ \(not encrypted\)$/)
  })

  it('says whom it will connect to, or that it cannot', () => {
    const place = reachOf(provider, values)
    if (place) expect(place).toEqual({ host: expect.stringMatching(/^[\w.:[\]-]+$/) as string, port: expect.any(Number) as number })
    expect(reachOf(provider, { [provider.fields[0]?.name ?? '']: 'a\nb' })).toBeUndefined()
  })
})

/** What no field of this kind takes. */
function wrongTexts(field: AddressField): readonly string[] {
  const texts = ['a\nb', '\0', '', 'x'.repeat(4097)]
  const byKind: Partial<Record<AddressField['kind'], readonly string[]>> = {
    host: ['a b', 'user@host', 'https://host'], port: ['0', '65536', 'x'], prefix: ['a/../b', '/a/'], origin: ['host', 'https://user:pw@host', 'ftp://host', 'https://host/'],
    url: ['host', 'https://user:pw@host/x', 'file:///x', 'https://host/?x=1'], choice: ['nothing of these'], mebibytes: ['5', '0M', '5G'], file: ['relative'], 'server-path': ['relative', '/a/../b'],
  }
  return [...texts, ...(byKind[field.kind] ?? [])]
}

it('values are kept in the order of the form, whatever order they were typed in', () => {
  for (const provider of providers) {
    const values = exampleValues(provider)
    const turned = Object.fromEntries(Object.entries(values).reverse())
    expect(Object.keys(checkedValues(provider, turned))).toEqual(provider.fields.map(({ name }) => name).filter((name) => values[name] !== undefined))
  }
})
