import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { randomFile } from './harness/data.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { enginesOf } from './harness/engines.ts'
import { freshFolder } from './harness/folder.ts'
import { openStorage } from './harness/storage.ts'
import { findTraces, Onlooker, textsBelow } from './harness/traces.ts'
import { User } from './harness/user.ts'

test('the window cannot run what is not ours, go anywhere, open anything, or reach Node', async () => {
  await using app = await launchApp()
  const { page } = await User.of(app)
  const address = page.url()
  const found = await page.evaluate(async () => {
    const refused = new Promise((resolve) => document.addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective), { once: true }))
    const script = document.createElement('script')
    script.textContent = 'globalThis.hacked = true'
    document.body.append(script)
    return {
      refused: 'hacked' in globalThis ? 'nothing' : await refused,
      hacked: 'hacked' in globalThis,
      opened: globalThis.open('https://example.com') !== null,
      fetched: await fetch('https://example.com').then(() => true, () => false),
      file: await fetch('file:///etc/passwd').then(() => true, () => false),
      outside: await fetch('app://holdfast/..%2f..%2fpackage.json').then((reply) => reply.ok, () => false),
      node: ['require', 'process', 'module', 'global', 'Buffer'].filter((name) => name in globalThis),
      camera: await navigator.mediaDevices?.getUserMedia({ video: true }).then(() => true, () => false),
    }
  })
  expect(found).toMatchObject({ refused: 'script-src-elem', hacked: false, opened: false, fetched: false, file: false, outside: false, node: [] })
  expect(found.camera ?? false).toBe(false)
  await page.evaluate(() => { location.href = 'https://example.com/' })
  expect(page.url()).toBe(address)
  expect(app.electron.windows()).toHaveLength(1)
  const preferences = await app.electron.evaluate(({ webContents }) =>
    webContents.getAllWebContents().map((contents) => (contents as unknown as { getLastWebPreferences(): object }).getLastWebPreferences()))
  expect(preferences).toMatchObject([{ sandbox: true, contextIsolation: true, nodeIntegration: false }])
})

test('a script in the window reaches no network, by no way, and makes no download', async () => {
  using folder = freshFolder()
  const heard: string[] = []
  const udp = createSocket('udp4').on('message', (text) => heard.push(`udp ${text.length}`))
  const tcp = createServer((socket) => {
    heard.push('tcp')
    socket.destroy()
  })
  udp.bind(0, '127.0.0.1')
  tcp.listen(0, '127.0.0.1')
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
  const ports = [udp.address().port, (tcp.address() as AddressInfo).port] as const
  await using app = await launchApp()
  const { page } = await User.of(app)
  await app.electron.evaluate(({ session }, path) => {
    const downloads: boolean[] = []
    Object.assign(globalThis, { downloads })
    session.defaultSession.setDownloadPath(path)
    session.defaultSession.on('will-download', (event, item) => {
      downloads.push(event.defaultPrevented)
      item.cancel()
    })
  }, folder.path(''))
  // As a page without any policy, too: what is tried is whether the way is there at all.
  const found = await page.evaluate(async ([stun, http]) => {
    const peer = new RTCPeerConnection({ iceServers: [{ urls: [`stun:127.0.0.1:${stun}`, `turn:127.0.0.1:${http}?transport=tcp`], username: 'x', credential: 'y' }] })
    const candidates: string[] = []
    peer.onicecandidate = ({ candidate }) => { if (candidate?.candidate) candidates.push(candidate.candidate) }
    peer.createDataChannel('x')
    await peer.setLocalDescription(await peer.createOffer())
    const gathered = new Promise((resolve) => { peer.onicegatheringstatechange = () => { if (peer.iceGatheringState === 'complete') resolve(true) } })
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob(['[Desktop Entry]']))
    link.download = 'evil.desktop'
    link.click()
    await gathered
    return candidates
  }, ports)
  const fetched = await app.electron.evaluate(({ net }, port) => net.fetch(`http://127.0.0.1:${port}/`).then(() => 'reached', () => 'not reached'), ports[1])
  expect([found, fetched, heard]).toEqual([[], 'not reached', []])
  await expect.poll(() => app.electron.evaluate(() => (globalThis as unknown as { downloads: boolean[] }).downloads)).toEqual([true])
  expect(readdirSync(folder.path(''))).toEqual([])
  expect(app.electron.windows()).toHaveLength(1)
  udp.close()
  tcp.close()
})

test('main answers its own window only', async () => {
  await using app = await launchApp()
  await User.of(app)
  const opened = app.electron.waitForEvent('window')
  await app.electron.evaluate(({ app: it, BrowserWindow }) => {
    const stranger = new BrowserWindow({ show: false, webPreferences: { preload: `${it.getAppPath()}/dist/main/preload.cjs`, sandbox: true } })
    return stranger.loadURL('data:text/html,<h1>stranger</h1>')
  })
  const stranger = await opened
  const ask = (): Promise<unknown> => stranger.evaluate(() => (globalThis as unknown as { holdfast: { invoke(channel: string): Promise<unknown> } }).holdfast.invoke('state.get'))
  const answer = await ask().catch((error: unknown) => ({ ok: false, error: String(error) }))
  expect(answer).toMatchObject({ ok: false })
  expect(JSON.stringify(answer)).not.toContain('settings')
})

test('secrets are in no file, log, process, output, request or object, in no writing', async () => {
  using folder = freshFolder()
  randomFile(`${folder.made('tree')}/one.bin`, 2_000_000)
  await using storage = await openStorage()
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: { ...desktop.environment, HOLDFAST_LOG: 'debug', TMPDIR: folder.made('tmp') } })
  using onlooker = new Onlooker(app)
  const user = await User.of(app)
  const password = 'canary "tulip" 51f0 grävel'
  const { secretAccessKey } = storage.destination
  await user.goTo('Backups')
  await user.openForm()
  await user.fillJob({ name: 'cloud', sources: [folder.path('tree')], destination: storage.destination, password })
  await user.click('Test connection')
  await user.sees('There is no repository here yet')
  await user.click('Create job')
  storage.holdPacks()
  await user.click('Back up now')
  await expect.poll(() => storage.held).toBeGreaterThan(0)
  expect(enginesOf(app)).toHaveLength(1)
  storage.release()
  await user.button('Back up now').waitFor()
  await user.goTo('Restore')
  await user.restoreTo(folder.made('restored'))
  await app.stop()
  const files = textsBelow(app.home)
  expect([...files.keys()].map((path) => path.slice(app.state.length + 1))).toEqual(expect.arrayContaining(['settings.json', 'jobs.json', 'secrets.json', 'logs/holdfast.jsonl']))
  const texts = new Map([...onlooker.texts, ...files, ...textsBelow(folder.path('tmp')), ...await storage.texts()])
  expect(texts.get(join(app.state, 'logs/holdfast.jsonl'))).toContain('cloud')
  expect(texts.get('the processes')).toContain('engine.js')
  expect(texts.get('the requests')).toContain(storage.destination.accessKeyId)
  for (const secret of [password, secretAccessKey]) expect(findTraces(secret, texts)).toEqual([])
})

test('a secret is found in whatever writing', () => {
  const secret = 'canary "tulip" 51f0 grävel'
  const writings = [
    secret, JSON.stringify({ secret }), `?p=${encodeURIComponent(secret)}&q`, new URLSearchParams({ secret }).toString(), Buffer.from(secret).toString('hex'),
    ...['', 'x', 'xy', 'xyz'].flatMap((before) => (['base64', 'base64url'] as const).map((alphabet) => Buffer.from(`${before}${secret}${before}`).toString(alphabet))),
    Buffer.from(secret, 'utf16le').toString('latin1'), Buffer.from(secret).toString('latin1'),
  ]
  for (const [at, text] of writings.entries()) expect([at, findTraces(secret, new Map([['it', text]]))]).toEqual([at, ['it']])
  expect(findTraces(secret, new Map([['it', 'canary tulip 51f0']]))).toEqual([])
})
