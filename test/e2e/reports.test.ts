import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'
const token = 'b7a1-secret-t0ken'

test('an address is told of each backup, shown without what identifies its owner, and told no longer when somebody says so', async () => {
  const got: string[] = []
  await using server = createServer((request, response) => {
    got.push(`${request.method ?? ''} ${request.url ?? ''}`)
    response.end('OK')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  using folder = freshFolder()
  writeFileSync(`${folder.made('tree')}/letter.txt`, 'dear')
  await using app = await launchApp()
  const user = await User.of(app)
  await user.addJob({ name: 'letters', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('backup') }, password })
  const open = async (): Promise<void> => {
    await user.click('More actions')
    await user.page.getByRole('menuitem', { name: 'Tell somebody…' }).click()
  }
  await open()
  await user.page.getByRole('textbox', { name: 'Address' }).fill('http://example.org/x')
  await user.click('Tell it…')
  await user.sees(/can be read and changed on the way/)
  await user.page.getByRole('textbox', { name: 'Address' }).fill(`${origin}/${token}`)
  await app.screenshot('report-dialog')
  await user.willChoose({ confirm: false })
  await user.click('Tell it…')
  await expect.poll(() => user.button('Tell it…').isEnabled()).toBe(true)
  await user.willChoose({ confirm: true })
  await user.click('Tell it…')
  await user.page.getByRole('dialog').waitFor({ state: 'detached' })
  await user.sees(`${origin}/…`)
  expect(await user.backUpNow()).toBe('Backed up')
  await expect.poll(() => got).toEqual([`POST /${token}/start`, `POST /${token}`])

  await user.page.emulateMedia({ colorScheme: 'dark' })
  await app.screenshot('report-told-dark')
  await open()
  await user.sees(`Told now: ${origin}/…`)
  await app.screenshot('report-dialog-dark')
  expect(await user.page.content()).not.toContain(token)
  await user.click('Tell it no longer…')
  await user.page.getByRole('dialog').waitFor({ state: 'detached' })
  expect(await user.backUpNow()).toBe('Nothing had changed')
  expect(got.length).toBe(2)
  await app.stop()
  for (const name of readdirSync(app.state, { recursive: true, withFileTypes: true })) {
    if (name.isFile()) expect(readFileSync(join(name.parentPath, name.name)).includes(token), name.name).toBe(false)
  }
}, 120_000)
