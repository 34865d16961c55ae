import type { Locator, Page } from 'playwright-core'
import type { AddressValues, ProviderDescription } from '../../../main/api/providers.ts'
import type { RunningApp } from './app.ts'

export type DestinationInput =
  | { readonly type: 'folder'; readonly path: string }
  | { readonly type: 's3'; readonly endpoint: string; readonly bucket: string; readonly prefix?: string; readonly accessKeyId: string; readonly secretAccessKey: string }
  /** By the names of the fields and secrets in the provider's description. */
  | { readonly type: 'provider'; readonly provider: ProviderDescription; readonly values: AddressValues; readonly keys: AddressValues }

export interface JobInput {
  readonly name: string
  readonly sources: readonly string[]
  readonly destination: DestinationInput
  readonly password: string
  /** Bytes a second, in steps of 0.01 MB. */
  readonly limit?: number
  readonly schedule?: 'By hand' | 'When something changes' | 'Every hour' | 'Every day'
}

export type DialogAnswers = Readonly<Partial<Record<'sources' | 'destination' | 'restore', readonly string[]>>> & { readonly confirm?: boolean; readonly save?: string }

/** Somebody at the window: clicks and types what is there to be seen, and nothing else. */
export class User {
  readonly page: Page
  readonly #app: RunningApp

  private constructor(app: RunningApp, page: Page) {
    this.#app = app
    this.page = page
    page.setDefaultTimeout(20_000)
  }

  /** At the app's window, once it shows something. */
  static async of(app: RunningApp): Promise<User> {
    const user = new User(app, await app.window())
    await user.page.getByRole('navigation', { name: 'Pages' }).waitFor()
    return user
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: true })
  }

  click(name: string | RegExp): Promise<void> {
    return this.button(name).click()
  }

  sees(text: string | RegExp): Promise<void> {
    return this.page.getByText(text).first().waitFor()
  }

  goTo(page: string): Promise<void> {
    return this.page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name: page }).click()
  }

  /** What the next dialogs of main answer; `confirm`: yes to its questions, else no. They are the desktop's own and out of Playwright's reach. */
  async willChoose(answers: DialogAnswers): Promise<void> {
    await this.#app.electron.evaluate((_electron, text) => {
      process.env['HOLDFAST_TEST_DIALOG'] = text
    }, JSON.stringify(answers))
  }

  /** Opens the long form of a new job, from the list of backups. Nothing is proposed in it. */
  async openForm(): Promise<void> {
    const open = this.button(/^(Add job|Back up this computer)$/)
    const isFirst = (await open.textContent())?.trim() === 'Back up this computer'
    await open.click()
    if (!isFirst) return
    // What was proposed there comes along.
    await this.page.getByText('Your home folder').waitFor()
    await this.click('All settings')
    await this.click(/^Remove \//)
    await this.page.getByLabel('Name').fill('')
    await this.page.getByRole('checkbox', { name: 'node_modules' }).uncheck()
  }

  /** Fills in the form; the page of it must be open. */
  async fillJob({ name, sources, destination, password, limit, schedule = 'By hand' }: JobInput): Promise<void> {
    const { page } = this
    await this.willChoose({ sources, ...(destination.type === 'folder' ? { destination: [destination.path] } : { confirm: true }) })
    await this.click('Add folders…')
    await page.getByText(sources[0] ?? '', { exact: true }).waitFor()
    await page.getByLabel('Name').fill(name)
    if (destination.type === 'folder') await this.click('Backup folder: Choose…')
    else if (destination.type === 's3') await this.#fillS3(destination)
    else await this.#fillStorage(destination)
    await page.getByLabel('Password of the repository').fill(password)
    const confirmation = page.getByLabel('Repeat the password')
    if (await confirmation.isVisible()) await confirmation.fill(password)
    await page.getByRole('radio', { name: schedule }).check()
    if (limit !== undefined) {
      await page.getByRole('checkbox', { name: 'Limit the upload speed' }).check()
      await page.getByLabel('Upload limit').fill(String(limit / 1e6))
    }
  }

  /** What the description's labels name. */
  async #fillStorage({ provider, values, keys }: Extract<DestinationInput, { type: 'provider' }>): Promise<void> {
    const { page } = this
    await page.getByRole('radio', { name: provider.name, exact: true }).check()
    const more = page.getByRole('button', { name: 'More options' })
    if (await more.isVisible()) await more.click()
    for (const { name, label, choices } of provider.fields) {
      const value = values[name]
      if (value === undefined) continue
      const input = this.#input(label)
      await (choices ? input.selectOption(value) : input.fill(value))
    }
    for (const { name, label } of provider.secrets) await this.#input(label).fill(keys[name] ?? '')
  }

  /** A card of the form may have the same name. */
  #input(label: string): Locator {
    return this.page.locator('input, textarea, select').and(this.page.getByLabel(label, { exact: true }))
  }

  async #fillS3({ endpoint, bucket, prefix = '', accessKeyId, secretAccessKey }: Extract<DestinationInput, { type: 's3' }>): Promise<void> {
    const { page } = this
    await page.getByRole('radio', { name: 'S3 storage' }).check()
    await page.getByLabel('Endpoint').fill(endpoint)
    await page.getByLabel('Region').fill('us-east-1')
    await page.getByLabel('Bucket', { exact: true }).fill(bucket)
    await page.getByLabel('Folder', { exact: true }).fill(prefix)
    await page.getByLabel('Access key ID').fill(accessKeyId)
    await page.getByLabel('Secret access key').fill(secretAccessKey)
  }

  /** Adds a job, from wherever the user is, and lands on its page. */
  async addJob(job: JobInput): Promise<void> {
    await this.goTo('Backups')
    await this.openForm()
    await this.fillJob(job)
    await this.click('Create job')
    await this.page.getByRole('heading', { name: job.name, level: 1 }).waitFor()
  }

  async openJob(name: string): Promise<void> {
    await this.goTo('Backups')
    await this.page.getByRole('button', { name: `Open ${name}:` }).click()
    await this.page.getByRole('heading', { name, level: 1 }).waitFor()
  }

  /** Starts the job whose page is open and waits for its end. @returns the words of its result, or throws what it says instead */
  async backUpNow(): Promise<string> {
    const runs = this.page.getByRole('button', { name: /^Show details of the run of/ })
    const before = await runs.count()
    await this.click('Back up now')
    await runs.nth(before).waitFor()
    return (await this.page.getByRole('main').getByRole('heading', { level: 2 }).first().textContent()) ?? ''
  }

  /** Restores what is chosen in the open snapshot browser, or everything, to a folder, and waits for the end. */
  async restoreTo(folder: string): Promise<void> {
    await this.willChoose({ restore: [folder] })
    await this.click(/^Restore( everything)?…$/)
    await this.click('Target folder: Choose…')
    await this.click('Start restore')
    await this.page.getByRole('heading', { name: /^(Restored|Everything was there already|Not finished|Failed)/ }).waitFor()
  }
}
