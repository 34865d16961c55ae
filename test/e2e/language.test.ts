import { expect, test } from 'vitest'
import { launchApp, type RunningApp } from './harness/app.ts'
import { randomFile } from './harness/data.ts'
import { openFakeDesktop, type FakeDesktop } from './harness/desktop.ts'
import { freshFolder } from './harness/folder.ts'
import type { Tray } from './harness/tray.ts'
import { User } from './harness/user.ts'

const labels = async (tray: Tray): Promise<string[]> => (await tray.menu()).map((entry) => entry.label)
const headingOf = async (app: RunningApp): Promise<string | null> => (await app.window()).getByRole('heading', { level: 1 }).textContent()
const languageOf = async (app: RunningApp): Promise<readonly string[]> => (await app.window()).evaluate(() => [document.documentElement.lang, document.documentElement.dir])

test('German, chosen in the settings, is spoken by the page at once, by the tray and by notifications, and still after a restart', async () => {
  using folder = freshFolder()
  randomFile(`${folder.made('Übung')}/eins.bin`, 10_000)
  await using desktop = await openFakeDesktop()
  const options = { environment: desktop.environment, home: folder.made('home') }
  {
    await using app = await launchApp(options)
    const tray = await desktop.nextTray()
    const user = await User.of(app)
    await user.addJob({ name: 'Fotos', sources: [folder.path('Übung')], destination: { type: 'folder', path: folder.made('Ziel') }, password: 'tulip gravel omen lamp' })
    await expect.poll(() => labels(tray)).toContain('Fotos: never backed up')
    expect(await languageOf(app)).toEqual(['en', 'ltr'])
    await user.goTo('Settings')
    await user.page.getByRole('combobox', { name: 'Language' }).selectOption('Deutsch')

    await expect.poll(() => headingOf(app)).toBe('Einstellungen')
    expect(await languageOf(app)).toEqual(['de', 'ltr'])
    expect(await user.page.getByRole('combobox', { name: 'Sprache' }).inputValue()).toBe('de')
    await expect.poll(() => labels(tray)).toContain('Fotos: nie gesichert')
    expect(await labels(tray)).toEqual(expect.arrayContaining(['Holdfast öffnen', 'Alles pausieren', 'Jetzt sichern', 'Beenden']))

    await tray.click('Jetzt sichern')
    const { summary, body } = await desktop.nextNotification()
    expect([summary, body]).toEqual(['Die erste Sicherung ist fertig', 'Fotos ist in Sicherheit. Von jetzt an arbeitet Holdfast still und meldet sich nur, wenn etwas Aufmerksamkeit braucht.'])
    await expect.poll(() => labels(tray)).toContain('Fotos: gesichert gerade eben')
    await app.stop()
  }
  await expectGerman(options, desktop)
})

async function expectGerman(options: Parameters<typeof launchApp>[0], desktop: FakeDesktop): Promise<void> {
  await using app = await launchApp(options)
  await expect.poll(() => headingOf(app)).toBe('Sicherungen')
  await expect.poll(async () => labels(await desktop.nextTray())).toContain('Holdfast öffnen')
}

test.each([['de_AT', 'de', 'Dateien in Sicherheit bringen'], ['fr_FR', 'en', 'Keep your files safe']])('a system that speaks %s gets %s', async (system, language, heading) => {
  await using app = await launchApp({ environment: { LANGUAGE: system } })
  await expect.poll(() => headingOf(app)).toBe(heading)
  expect(await languageOf(app)).toEqual([language, 'ltr'])
})
