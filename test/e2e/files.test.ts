import { request } from 'node:http'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { openFakeBrowser } from './harness/browser.ts'
import { freshFolder } from './harness/folder.ts'
import { findTraces, textsBelow } from './harness/traces.ts'
import { User } from './harness/user.ts'

/** Asks the door as a file manager does. Undefined: nobody is there. */
function ask(port: number, password: string, path = '/'): Promise<{ readonly status: number; readonly body: string } | undefined> {
  const headers = { depth: '1', authorization: `Basic ${Buffer.from(`holdfast:${password}`).toString('base64')}` }
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, method: path.endsWith('.txt') ? 'GET' : 'PROPFIND', path, headers, agent: false }, (reply) => {
      let body = ''
      reply.on('data', (data: Buffer) => { body += data.toString() }).on('end', () => { resolve({ status: reply.statusCode ?? 0, body }) })
    })
    asked.on('error', () => { resolve(undefined) }).end()
  })
}

test('the snapshots of a job open in the file manager with one click, close with one, and without a file manager the window says how', async () => {
  using folder = freshFolder()
  writeFileSync(join(folder.made('tree'), 'letter.txt'), 'Dear Anna')
  // Stands for GNOME's gio, which mounts; it is not on every machine.
  const bin = folder.made('bin')
  writeFileSync(join(bin, 'gio'), `#!/bin/sh\necho "$@" >> '${bin}/words'\ncat >> '${bin}/input'\nexit $(cat '${bin}/code')\n`)
  writeFileSync(join(bin, 'code'), '0')
  chmodSync(join(bin, 'gio'), 0o755)
  await using app = await launchApp({ environment: { PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` } })
  const system = await openFakeBrowser(app)
  const user = await User.of(app)
  await user.addJob({ name: 'letters', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('backup') }, password: 'tulip gravel omen lamp' })
  await user.backUpNow()
  await user.openJob('letters')
  await user.click('Restore files')
  await user.button('Open in the file manager').waitFor()
  await app.screenshot('files-offer')
  await user.click('Open in the file manager')
  await user.sees('These snapshots are open in the file manager')
  await user.button('Show again').waitFor()
  const [address = ''] = await system.opened()
  const port = Number(/^dav:\/\/holdfast@127\.0\.0\.1:(\d+)\/$/.exec(address)?.[1])
  const [password = ''] = readFileSync(join(bin, 'input'), 'utf8').split('\n')
  expect(readFileSync(join(bin, 'words'), 'utf8')).toBe(`mount ${address}\n`)
  for (const theme of ['light', 'dark'] as const) {
    await user.page.emulateMedia({ colorScheme: theme })
    await app.screenshot(`files-open-${theme}`)
  }
  const hrefs = async (path: string): Promise<string[]> => [...((await ask(port, password, path))?.body ?? '').matchAll(/<D:href>([^<]*)</g)].map(([, href]) => href ?? '')
  const [, job = ''] = await hrefs('/')
  const [, snapshot = ''] = await hrefs(job)
  expect(snapshot).toMatch(/letters\/\d{4}-\d\d-\d\d%20\d\d\.\d\d\/$/)
  expect(await ask(port, password, `${snapshot}tree/letter.txt`)).toEqual({ status: 200, body: 'Dear Anna' })
  expect((await ask(port, 'x'))?.status).toBe(401)
  await user.click('Stop sharing')
  await user.button('Open in the file manager').waitFor()
  await expect.poll(() => ask(port, password)).toBeUndefined()
  await expect.poll(() => readFileSync(join(bin, 'words'), 'utf8')).toBe(`mount ${address}\nmount --unmount ${address}\n`)
  expect(findTraces(password, textsBelow(app.home))).toEqual([])

  writeFileSync(join(bin, 'code'), '2')
  await user.click('Open in the file manager')
  await user.sees('a file manager has to be told')
  await user.sees(/Type dav:\/\/holdfast@127\.0\.0\.1:\d+\/ into the address line/)
  await app.screenshot('files-by-hand')
  await user.click('Copy password')
  await user.sees('The password is on the clipboard')
  const copied = await app.electron.evaluate(({ clipboard }) => clipboard.readText())
  const other = Number(/127\.0\.0\.1:(\d+)/.exec((await user.page.getByText(/Type dav:/).textContent()) ?? '')?.[1])
  expect((await ask(other, copied))?.status).toBe(207)
  expect(copied).not.toBe(password)
  expect(await user.page.content()).not.toContain(copied)
  await app.stop()
  expect(await ask(other, copied)).toBeUndefined()
}, 90_000)
