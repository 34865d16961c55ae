import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { fromBytes, toShown } from '../../../../engine/base/byte-string.ts'
import { SeededRandom } from '../../../bench/random.ts'
import { oddEntryNames } from '../../../fixtures/odd-tree.ts'
import { quickWorld } from '../../../fixtures/quick-world.ts'
import { serveWorld, type Served } from './served.ts'

const big = new SeededRandom(3).bytes(9_000_000)

async function snapshotOf(served: Served): Promise<string> {
  const [, group = ''] = await served.list('/')
  return (await served.list(group))[1] ?? ''
}

test('folders by host, job and date hold what was stored, and a new snapshot appears', async () => {
  using world = await quickWorld()
  mkdirSync(join(world.source, 'inner'))
  writeFileSync(join(world.source, 'inner', 'big'), big)
  symlinkSync('big', join(world.source, 'inner', 'link'))
  utimesSync(join(world.source, 'inner', 'big'), 1_700_000_000, 1_700_000_000)
  await world.backup({ host: 'tower' })
  await using served = await serveWorld(world)
  expect(served.door.snapshots).toBe(1)
  expect(await served.list('/')).toEqual(['/', '/tower%20photos/'])
  const snapshot = await snapshotOf(served)
  expect(snapshot).toMatch(/^\/tower%20photos\/\d{4}-\d\d-\d\d%20\d\d\.\d\d\/$/)
  expect(await served.list(`${snapshot}source/inner`)).toEqual([`${snapshot}source/inner/`, `${snapshot}source/inner/big`])
  const { status, body, headers } = await served.ask('GET', `${snapshot}source/inner/big`)
  expect([status, body.equals(big), headers['last-modified']]).toEqual([200, true, new Date(1_700_000_000_000).toUTCString()])
  await world.backup({ host: 'other', name: 'letters' })
  // A name that is not known is looked for again, within seconds.
  await expect.poll(async () => (await served.ask('PROPFIND', '/other%20letters/', { headers: { depth: '0' } })).status, { timeout: 20_000, interval: 500 }).toBe(207)
  expect(await served.list('/')).toEqual(['/', '/other%20letters/', '/tower%20photos/'])
}, 60_000)

test('only the snapshots that were chosen are there; one that is not there is told', async () => {
  using world = await quickWorld()
  for (const name of ['a', 'b']) {
    writeFileSync(join(world.source, name), name)
    await world.backup({ name, host: 'tower' })
  }
  await using served = await serveWorld(world, { snapshots: ['latest:tower/b'] })
  expect(await served.list('/')).toEqual(['/', '/tower%20b/'])
  await expect(serveWorld(world, { snapshots: ['c@1'] })).rejects.toMatchObject({ code: 'not-found' })
})

describe('one door', () => {
  it('gives ranges, tags and conditions', async () => {
    using world = await quickWorld()
    writeFileSync(join(world.source, 'big'), big)
    writeFileSync(join(world.source, 'empty'), '')
    writeFileSync(join(world.source, 'same'), big)
    await world.backup()
    await using served = await serveWorld(world)
    const folder = `${await snapshotOf(served)}source/`
    const size = big.length
    const ask = (range: string, headers = {}, file = 'big'): ReturnType<Served['ask']> => served.ask('GET', folder + file, { headers: { range, ...headers } })
    for (const [range, start, end] of [['bytes=0-0', 0, 1], ['bytes=3000000-6999999', 3_000_000, 7_000_000], [`bytes=${size - 1}-`, size - 1, size], ['bytes=-5', size - 5, size], ['bytes=-99999999', 0, size], ['bytes=8999990-99999999', 8_999_990, size]] as const) {
      const { status, headers, body } = await ask(range)
      expect([range, status, headers['content-range'], body.equals(big.subarray(start, end))]).toEqual([range, 206, `bytes ${start}-${end - 1}/${size}`, true])
    }
    for (const range of [`bytes=${size}-`, 'bytes=-0']) expect([(await ask(range)).status, (await ask(range)).headers['content-range']]).toEqual([416, `bytes */${size}`])
    for (const range of ['bytes=5-2', 'bytes=0-1,4-5', 'lines=1-2', 'bytes=-', 'bytes=x']) expect([range, (await ask(range)).status, (await ask(range)).body.length]).toEqual([range, 200, size])
    expect((await ask('bytes=0-0', {}, 'empty')).status).toBe(416)
    expect((await served.ask('GET', `${folder}empty`)).headers['content-length']).toBe('0')
    const head = await served.ask('HEAD', `${folder}big`)
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, String(size)])
    const etag = String(head.headers['etag'])
    expect((await served.ask('HEAD', `${folder}same`)).headers['etag']).toBe(etag)
    expect((await served.ask('HEAD', `${folder}empty`)).headers['etag']).not.toBe(etag)
    expect((await served.ask('GET', `${folder}big`, { headers: { 'if-none-match': `"x", ${etag}` } })).status).toBe(304)
    expect((await ask('bytes=0-0', { 'if-range': etag })).status).toBe(206)
    expect((await ask('bytes=0-0', { 'if-range': '"other"' })).status).toBe(200)
  })

  it('lets in nobody without the password, under another name, or to write', async () => {
    using world = await quickWorld()
    writeFileSync(join(world.source, 'file'), 'x')
    await world.backup()
    await using served = await serveWorld(world)
    const { port } = served.door
    const status = async (...[method, target, asking]: Parameters<Served['ask']>): Promise<number> => (await served.ask(method, target, asking)).status
    expect((await served.ask('OPTIONS', '/')).headers).toMatchObject({ dav: '1', allow: 'OPTIONS, PROPFIND, GET, HEAD' })
    for (const password of ['', 'x', served.door.password.slice(1)]) expect(await status('OPTIONS', '/', { password })).toBe(401)
    expect(await status('OPTIONS', '/', { headers: { authorization: 'Bearer x' } })).toBe(401)
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`, `127.0.0.1.evil.example:${port}`]) expect([host, await status('GET', '/', { headers: { host } })]).toEqual([host, 403])
    expect(await status('OPTIONS', '/', { headers: { host: `LOCALHOST:${port}` } })).toBe(200)
    expect(await status('GET', '/', { headers: { origin: 'https://evil.example' } })).toBe(403)
    for (const method of ['PUT', 'DELETE', 'MKCOL', 'MOVE', 'COPY', 'LOCK', 'UNLOCK', 'PROPPATCH', 'POST', 'PATCH', 'TRACE']) {
      const reply = await served.ask(method, '/file', { ...(method === 'TRACE' ? {} : { body: 'x'.repeat(100_000) }) })
      expect([method, reply.status, reply.headers['allow']]).toEqual([method, 405, 'OPTIONS, PROPFIND, GET, HEAD'])
    }
    expect(served.door.password).toMatch(/^[0-9a-f]{32}$/)
    expect(JSON.stringify(world.lines)).not.toContain(served.door.password)
  })

  it('finds nothing beside the tree, whatever is asked', async () => {
    using world = await quickWorld()
    writeFileSync(join(world.source, 'file'), 'x')
    await world.backup()
    await using served = await serveWorld(world)
    const folder = `${await snapshotOf(served)}source`
    const ask = (target: string): ReturnType<Served['ask']> => served.ask('PROPFIND', target, { headers: { depth: '0' } })
    for (const target of [
      `${folder}/../source/file`, `${folder}/%2e%2e/source/file`, `${folder}/.`, '/..', '/../../etc/passwd', '/%2e%2e%2fetc%2fpasswd', `${folder}%2ffile`, `${folder}/file%00`, `${folder}/file/file`, `${folder}/file/..`,
      `${folder}/..%5cfile`, `${folder}/%5cx2e%5cx2e`, `${folder}/x%5cx2ffile`,
    ]) expect([target, (await ask(target)).status]).toEqual([target, 404])
    for (const target of [`${folder}/%`, `${folder}/%ff`, `${folder}/%c0%ae%c0%ae`, 'http://127.0.0.1/', '*']) expect([target, (await ask(target)).status]).toEqual([target, 400])
    expect((await ask(`${folder}//file?x=/..`)).status).toBe(207)
    for (const depth of ['infinity', '2', '', 'x']) expect([depth, (await served.ask('PROPFIND', '/', { headers: { depth } })).status]).toEqual([depth, 403])
    expect((await served.ask('PROPFIND', '/')).body.toString()).toContain('propfind-finite-depth')
    const asked = (body: string): ReturnType<Served['ask']> => served.ask('PROPFIND', `${folder}/file`, { headers: { depth: '0' }, body })
    for (const body of ['<', '<x/>', '<!DOCTYPE x [<!ENTITY e "e">]><propfind xmlns="DAV:"><allprop/></propfind>', `<propfind xmlns="DAV:"><prop>${'<x/>'.repeat(300)}</prop></propfind>`, `${'<a>'.repeat(5000)}`]) expect([body.slice(0, 40), (await asked(body)).status]).toEqual([body.slice(0, 40), 400])
    expect((await asked(`<propfind xmlns="DAV:">${' '.repeat(70_000)}</propfind>`)).status).toBe(413)
    const some = (await asked('<a:propfind xmlns:a="DAV:" xmlns:b="u:&quot;&lt;"><a:prop><a:getcontentlength/><b:x/><a:quota-used-bytes/></a:prop></a:propfind>')).body.toString()
    expect(some).toContain('<D:prop><D:getcontentlength>1</D:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK')
    expect(some).toContain('<D:prop><x:x xmlns:x="u:&#34;&#60;"/><D:quota-used-bytes/></D:prop><D:status>HTTP/1.1 404 Not Found')
    expect((await asked('<propfind xmlns="DAV:"><propname/></propfind>')).body.toString()).toContain('<D:getetag/>')
  })

  it('shows odd names such that each leads back to its own file', async () => {
    using world = await quickWorld()
    const names = [...oddEntryNames, Buffer.from('caf\\xe9.txt'), Buffer.from('<a href="x">&amp;<b>'), Buffer.from('%'), Buffer.from('a+b c?d=e#f')]
    for (const [at, name] of names.entries()) writeFileSync(Buffer.concat([Buffer.from(`${world.source}/`), name]), `content of ${at}`)
    await world.backup()
    await using served = await serveWorld(world)
    const [own = '', ...hrefs] = await served.list(`${await snapshotOf(served)}source/`)
    expect(hrefs).toHaveLength(names.length)
    const found = new Map<string, string>()
    for (const href of hrefs) {
      expect(href).toMatch(/^[\x21-\x7e]+$/)
      found.set(decodeURIComponent(href.slice(own.length)), (await served.ask('GET', href)).body.toString())
    }
    expect([...found].sort()).toEqual(names.map((name, at) => [toShown(fromBytes(name)), `content of ${at}`]).sort())
  }, 30_000)
})

test('a folder of many entries comes whole, in parts', async () => {
  using world = await quickWorld()
  const names = Array.from({ length: 6000 }, (_, at) => `file ${String(at).padStart(5, '0')}`)
  for (const name of names) writeFileSync(join(world.source, name), '')
  await world.backup()
  await using served = await serveWorld(world)
  const [own = '', ...hrefs] = await served.list(`${await snapshotOf(served)}source`)
  expect(hrefs.map((href) => decodeURIComponent(href.slice(own.length)))).toEqual(names)
  expect((await served.ask('PROPFIND', own, { headers: { depth: '1' } })).headers['transfer-encoding']).toBe('chunked')
}, 30_000)

test('what is damaged ends as an error, and never as other bytes', async () => {
  using world = await quickWorld()
  writeFileSync(join(world.source, 'big'), big)
  await world.backup()
  const [pack = ''] = packs(world.repository).sort((a, b) => statSync(b).size - statSync(a).size)
  const whole = readFileSync(pack)
  chmodSync(pack, 0o600)
  const sent: number[] = []
  // In which order chunks lie in a pack depends on which was ready first.
  for (const at of [1_000_000, 3_000_000, 5_000_000, 7_000_000]) {
    await using served = await serveWorld(world)
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(pack, bytes)
    const broken = await served.ask('GET', `${await snapshotOf(served)}source/big`)
    if (broken.status === 200) expect(broken.whole).toBe(false)
    else expect([broken.status, broken.body.length]).toEqual([500, 0])
    expect(broken.body.length).toBeLessThan(big.length)
    expect(big.subarray(0, broken.body.length).equals(broken.body)).toBe(true)
    sent.push(broken.body.length)
  }
  expect(Math.max(...sent)).toBeGreaterThan(0)
  await using served = await serveWorld(world)
  truncateSync(pack, 100)
  expect((await served.ask('GET', `${await snapshotOf(served)}source/big`, { headers: { range: 'bytes=8000000-' } })).status).toBe(500)
  expect(world.lines.some(({ level, message }) => level === 'warning' && message.includes('could not be answered'))).toBe(true)
}, 30_000)

test('a client that takes nothing holds back reading, and one that went away ends it', async () => {
  using world = await quickWorld()
  const size = 64_000_000
  writeFileSync(join(world.source, 'big'), new SeededRandom(4).bytes(size))
  await world.backup()
  await using served = await serveWorld(world)
  const file = `${await snapshotOf(served)}source/big`
  const fetched = (): number => world.transfers.reduce((sum, { state, direction, totalBytes }) => sum + (state === 'done' && direction === 'down' ? totalBytes : 0), 0)
  const { port, user, password } = served.door
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(`GET ${file} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}\r\n\r\n`)
  await once(socket, 'readable')
  // Others are served meanwhile, and nothing is fetched for it but what the system's own buffers took.
  let before = -1
  await expect.poll(async () => {
    expect((await served.ask('GET', file, { headers: { range: 'bytes=0-9' } })).body).toHaveLength(10)
    const isStill = fetched() === before
    before = fetched()
    return isStill
  }, { interval: 300, timeout: 20_000 }).toBe(true)
  expect(fetched()).toBeLessThan(size / 2)
  socket.destroy()
  await once(socket, 'close')
  expect((await served.ask('GET', file)).body).toHaveLength(size)
}, 60_000)

test('a door that nobody knocks at closes; one that is used stays', async () => {
  using world = await quickWorld()
  writeFileSync(join(world.source, 'file'), 'x')
  await world.backup()
  const served = await serveWorld(world, { idleMs: 1500 })
  const stayed = performance.now()
  while (performance.now() - stayed < 3000) expect((await served.ask('OPTIONS', '/')).status).toBe(200)
  expect(await served.ended).toMatchObject({ operation: 'serve', outcome: 'success' })
  await expect(served.ask('OPTIONS', '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('a port that is taken is said to be', async () => {
  using world = await quickWorld()
  await world.backup()
  await using served = await serveWorld(world)
  await expect(serveWorld(world, { port: served.door.port })).rejects.toMatchObject({ code: 'busy' })
})

function packs(repository: string): string[] {
  return readdirSync(join(repository, 'packs'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
