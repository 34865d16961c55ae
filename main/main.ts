import './system/disposal.ts'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { app, clipboard, dialog, Menu, nativeTheme, powerMonitor, protocol, safeStorage, shell } from 'electron'
import { Accounts } from './accounts/accounts.ts'
import { accountHandlers } from './accounts/handlers.ts'
import type { Handlers } from './api/dispatch.ts'
import { limitsAt } from './api/limits.ts'
import { guessRate, lookRate, Pace, windowPace } from './api/pace.ts'
import { serveApi } from './api/server.ts'
import { Folders } from './authority/folders.ts'
import { sensitivityOf } from './authority/sensitive.ts'
import { Backups } from './runs/backups.ts'
import { Browsing } from './jobs/browsing.ts'
import { filesHandlers, SharedFiles } from './files/shared-files.ts'
import { FileManager } from './files/file-manager.ts'
import { kitHandlers } from './kit/handlers.ts'
import { Kits } from './kit/kits.ts'
import { pagePrinter } from './kit/page-printer.ts'
import { Places } from './repositories/places.ts'
import { Visits } from './visit/visits.ts'
import { visitHandlers } from './visit/handlers.ts'
import { DestinationTests } from './jobs/destination-test.ts'
import { historyHandlers, jobHandlers, repositoryHandlers } from './jobs/handlers.ts'
import type { JobHandlerPorts } from './jobs/handlers.ts'
import { copyHandlers, type CopyHandlerPorts } from './jobs/copy-handlers.ts'
import { driveHandlers, type DriveHandlerPorts } from './jobs/drive-handlers.ts'
import { rotationHandlers, type RotationHandlerPorts } from './jobs/rotation-handlers.ts'
import { PasswordChecks } from './jobs/password-check.ts'
import { RetentionPreviews } from './jobs/retention-preview.ts'
import { RunHistory } from './runs/history.ts'
import { isDestinationThere, isWithinReach } from './jobs/reach.ts'
import { OverdueTeller } from './runs/overdue.ts'
import { openQuiet } from './runs/quiet.ts'
import { openDisks } from './runs/open-disks.ts'
import { RunQueue } from './runs/queue.ts'
import { Restores } from './runs/restores.ts'
import { Returns } from './runs/returns.ts'
import { startTicks } from './runs/ticks.ts'
import { sourceHandlers } from './jobs/sources.ts'
import { JobStore } from './jobs/store.ts'
import { openReminders, PasswordReminder } from './repositories/reminder.ts'
import { openWatched, RepositoryWatch } from './repositories/watch.ts'
import { reportHandlers, type ReportHandlerPorts } from './reports/handlers.ts'
import { openReporting } from './reports/open.ts'
import { openStatusFile, type StatusFile } from './reports/status-file.ts'
import { shareRepositories } from './repositories/sharing.ts'
import { keychainCipher, keyFileCipher } from './settings/ciphers.ts'
import { settingsHandlers } from './settings/handlers.ts'
import { openSecrets } from './settings/secrets.ts'
import { openSettings, overdueToldIn, pauseIn } from './settings/settings.ts'
import type { Settings } from './settings/settings.ts'
import { LaterVersionError } from './settings/versioned-file.ts'
import { renicer } from './supervisor/renice.ts'
import { chooseHost } from './supervisor/choose-host.ts'
import { LimitClock } from './supervisor/limit-clock.ts'
import { Supervisor } from './supervisor/supervisor.ts'
import { announceLate, announceOverdue, announcePassword, announceRestore, announceRun } from './system/announcements.ts'
import { Awake } from './system/awake.ts'
import { appScheme, serveRenderer } from './system/app-protocol.ts'
import { endOnUncaught } from './system/last-words.ts'
import { openLoginItem } from './system/login-item.ts'
import type { LoginItem } from './system/login-item.ts'
import { debuggingRefusal } from './system/debugging.ts'
import { supportHandlers } from './support/handlers.ts'
import { LogFiles, noLogs } from './system/logs.ts'
import type { Logs } from './system/logs.ts'
import { menuTemplate } from './system/menu.ts'
import { Notifications } from './system/notifications.ts'
import { switchLanguage } from './text/language.ts'
import { appPaths, programPaths } from './system/paths.ts'
import type { AppPaths } from './system/paths.ts'
import { closedFolder, closeFile, FolderRefusal, openHome } from './system/private-folder.ts'
import { isForTests, isOldRuntime, warnOfRuntime } from './system/runtime.ts'
import { openSurroundings } from './system/this-computer.ts'
import { systemTimers as timers } from './system/timers.ts'
import { trayState } from './tray/state.ts'
import { trayActions } from './tray/actions.ts'
import { TrayShell } from './tray/tray.ts'
import { Dialogs } from './window/dialogs.ts'
import { afterDismissal } from './window/dismissals.ts'
import { windowHandlers } from './window/handlers.ts'
import { Navigation } from './window/navigation.ts'
import { Notices } from './window/notices.ts'
import { Publisher } from './window/publisher.ts'
import { activeRuns, appState, liveState } from './window/state.ts'
import type { StateSources } from './window/state.ts'
import { AppWindow } from './window/window.ts'

const quitGraceMs = 2_000
const hidden = '--hidden'
/** As the page's own, so that the window opens without a flash. */
const pageColour = { light: '#f4f6f7', dark: '#15191c' } as const

const paths = appPaths(process.env)
const home = openHome(paths.home)
const logs: Logs = home.refusal === undefined ? new LogFiles(paths.logs) : noLogs

endOnUncaught(log, (code) => { app.exit(code) })

function log(level: 'info' | 'warning' | 'error', message: string): void {
  logs.write({ time: timers.now(), level, message, context: {} })
}

protocol.registerSchemesAsPrivileged([{ scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true } }])
Menu.setApplicationMenu(builtMenu())
start()

function builtMenu(): Menu | null {
  const template = menuTemplate(process.platform, app.isPackaged)
  return template && Menu.buildFromTemplate(template)
}

function start(): void {
  const refusal = home.refusal ?? debuggingRefusal(app) ?? openUserData()
  if (refusal !== undefined) {
    tell(refusal)
    void app.whenReady().then(() => { endWith(refusal) })
  } else if (app.requestSingleInstanceLock()) void app.whenReady().then(run).catch(fail)
  else app.quit()
}

/** Chromium's own folder. A state folder of its own is an app of its own, with its own lock. */
function openUserData(): string | undefined {
  if (process.env['HOLDFAST_HOME']) app.setPath('userData', join(paths.home, 'window'))
  return closedFolder(app.getPath('userData')).refusal
}

function fail(error: unknown): void {
  const isForPeople = error instanceof FolderRefusal || error instanceof LaterVersionError
  const message = isForPeople ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)
  tell(message)
  endWith(message)
}

function tell(message: string): void {
  process.stderr.write(`Holdfast cannot start: ${message}\n`)
}

/** What keeps the app from starting is told to whoever started it: there is no window to show it in. */
function endWith(message: string): void {
  log('error', message)
  dialog.showErrorBox('Holdfast cannot start', message)
  app.exit(1)
}

/** Everything that keeps state, opened from disk. */
function openStores(appPaths: AppPaths, notices: Notices) {
  const now = (): number => timers.now()
  const settings = openSettings(appPaths.settings, now)
  const store = new JobStore(appPaths.jobs, now)
  const keychain = keychainCipher(safeStorage)
  closeFile(appPaths.keyFile)
  const keyFile = keyFileCipher(appPaths.keyFile)
  const ciphers = keychain ? ([keychain, keyFile] as const) : ([keyFile] as const)
  const opened = openSecrets(appPaths.secrets, [...ciphers], now)
  void shareRepositories(store, opened.store)
  const history = new RunHistory(appPaths.history)
  const interrupted = history.load()
  if (settings.movedTo !== undefined) notices.add({ id: 'settings', type: 'settings-damaged', movedTo: settings.movedTo })
  if (store.movedTo !== undefined) notices.add({ id: 'jobs', type: 'jobs-damaged', movedTo: store.movedTo })
  if (opened.movedTo !== undefined) notices.add({ id: 'secrets', type: 'secrets-damaged', movedTo: opened.movedTo })
  if (home.wasOpen) notices.add({ id: 'home-was-open', type: 'home-was-open', folder: appPaths.home })
  if (!keychain && !settings.value.dismissed.includes('secrets-in-file')) notices.add({ id: 'secrets-in-file', type: 'secrets-in-file' })
  const watched = openWatched(appPaths.watch, now)
  const reminders = openReminders(appPaths.reminders, now)
  return { settings, store, secrets: opened.store, ciphers, history, interrupted, watched, reminders }
}

type Stores = ReturnType<typeof openStores>

/** The accounts that people sign in to. @param signedIn jobs that waited for that may go on */
function openAccounts({ ciphers }: Stores, publisher: Publisher, signedIn: () => void): Promise<Accounts> {
  return Accounts.open({
    path: paths.accounts,
    ciphers,
    builtKeysFile: programPaths(app.getAppPath()).appKeys,
    environment: process.env,
    openBrowser: (address) => shell.openExternal(address),
    log,
    onChange: () => { publisher.appChanged() },
    onSignedIn: signedIn,
  })
}

/** What runs engines, for the jobs in the stores. */
function openWork(stores: Stores, visits: Visits, accounts: Accounts, notices: Notices, publisher: Publisher, notifications: Notifications, folders: Folders) {
  const { settings, store, secrets, history, watched } = stores
  const { engine } = programPaths(app.getAppPath())
  const supervisor = new Supervisor({
    startHost: chooseHost(engine, app.getAppPath(), process.env), timers, renice: renicer(log),
    token: (...request) => accounts.token(...request), sharedAccount: (...request) => accounts.sharedKey(...request),
  })
  const limits = new LimitClock({ limits: () => limitsAt(settings.value, timers.now()), setLimits: (now) => { supervisor.setLimits(now) } })
  const runPorts = {
    timers,
    log: logs,
    onChange: () => {
      publisher.appChanged()
      publisher.liveChanged()
    },
    onLive: () => { publisher.liveChanged() },
    onRestart: ({ identity: { jobId } }: { identity: { jobId: string } }, restarts: number) => {
      notices.add({ id: `crash-${jobId}`, type: 'engine-crashed', jobId, restarts, givenUp: false })
    },
  }
  const awake = new Awake({ now: () => timers.now(), uptimeMs: () => process.uptime() * 1000 })
  const surroundings = openSurroundings(() => timers.now(), isForTests(app) ? process.env['HOLDFAST_TEST_POWER'] : undefined)
  const queue = new RunQueue({ timers, parallelJobs: () => settings.value.parallelJobs, pause: pauseIn(settings), awakeSinceMs: () => awake.sinceMs, surroundings: () => surroundings.value, onChange: runPorts.onChange })
  const places = new Places({ store, secrets, visits })
  const disks = openDisks({ ...runPorts, app, queue, store, secrets, settings, notifications, onMoved: (jobId) => { browsing.close({ jobId }) } })
  const ports = { ...runPorts, ...disks, queue, store, secrets, places, engines: supervisor, home: paths.home, quietFolders: [app.getPath('userData')] }
  const { reports, mail } = openReporting({ ...stores, paths, timers, log, trusted: isForTests(app) ? process.env['HOLDFAST_TEST_MAIL_CA'] : undefined, onChange: () => { publisher.appChanged() } })
  const backups = new Backups({
    ...ports, history,
    missingAccount: (address) => accounts.missing(address),
    onStarted: (startedMs, record) => { reports.started(startedMs, record) },
    onEnded: (run, record) => {
      watch.runEnded(run, record)
      reports.ended(run, record)
      mail.ended(run, record)
      if (run.restarts === 0) notices.dismiss(`crash-${run.jobId}`)
      if (run.error?.code === 'crashed') notices.add({ id: `crash-${run.jobId}`, type: 'engine-crashed', jobId: run.jobId, restarts: run.restarts, givenUp: true })
      const { notifications: level, firstSuccessShown } = settings.value
      const announcement = announceRun(run, record.config.name, level, firstSuccessShown)
      if (announcement && accounts.isNews(run.error)) notifications.show(announcement)
      if (run.outcome === 'success' && !firstSuccessShown) void settings.set({ ...settings.value, firstSuccessShown: true })
    },
  })
  const restores = new Restores({ ...ports, onEnded: (restore) => { notifications.show(announceRestore(restore, settings.value.notifications)) } })
  const quiet = openQuiet({ ...ports, history, folders, isThere: isDestinationThere, missingAccount: (address) => accounts.missing(address) }, settings, notifications)
  const now = (): number => timers.now()
  const files = new SharedFiles({ ...ports, pace: new Pace({ ...lookRate, now }), manager: new FileManager((address) => shell.openExternal(address), log) })
  const browsing = new Browsing({ ...ports, pace: new Pace({ ...lookRate, now }), onClose: (place) => { files.end(place) } })
  visits.tell({ close: (place) => { browsing.close(place) }, onChange: runPorts.onChange })
  const watch = new RepositoryWatch({
    file: watched, store, history, browsing, timers, host: hostname(), mayLook: () => !queue.pausedAll && !queue.ending,
    show: (late) => { notices.showLate(late) },
    announce: (late) => notifications.show(announceLate(late, settings.value.notifications)),
    onChange: () => { publisher.appChanged() },
  })
  const tests = new DestinationTests({ engines: supervisor, home: paths.home, timers, log: logs, pace: new Pace({ ...lookRate, now }) })
  const previews = new RetentionPreviews({ ...ports, pace: new Pace({ ...lookRate, now }) })
  const passwords = new PasswordChecks({ secrets, browsing, tests, guesses: new Pace({ ...guessRate, now }) })
  return { ...quiet, ...disks, supervisor, limits, awake, surroundings, queue, backups, restores, places, visits, browsing, files, reports, mail, watch, tests, previews, passwords, ...openAccess(stores, browsing, notices, notifications, runPorts.onChange) }
}

/** What keeps people able to open their backups themselves. */
function openAccess({ reminders: file, store, history, secrets, settings }: Stores, browsing: Browsing, notices: Notices, notifications: Notifications, onChange: () => void) {
  const ports = { store, history, secrets, timers }
  const show = (jobId: string | undefined): void => { notices.showPassword(jobId) }
  const reminder = new PasswordReminder({ ...ports, file, show, announce: ({ config }) => { notifications.show(announcePassword(config.name, settings.value.notifications)) } })
  const guesses = new Pace({ ...guessRate, now: () => timers.now() })
  return { reminder, kits: new Kits({ ...ports, browsing, guesses, show: (jobId) => { notices.showKit(jobId) }, onChange }) }
}

/** The window, and the way to its pages. */
function openWindow({ settings }: Stores, folders: Folders, visits: Visits) {
  const window: AppWindow = new AppWindow({
    preload: programPaths(app.getAppPath()).preload,
    devTools: !app.isPackaged,
    background: () => (nativeTheme.shouldUseDarkColors ? pageColour.dark : pageColour.light),
    remembered: () => settings.value.windowBounds,
    remember: (windowBounds) => { void settings.set({ ...settings.value, windowBounds }) },
    onLeft: () => {
      folders.forget()
      visits.end()
    },
    onLoaded: () => { navigation.onLoaded() },
    onCrash: (reason) => { log('error', `the window broke off: ${reason}`) },
  })
  const navigation = new Navigation({
    show: () => { window.show() },
    loadAnew: () => { window.loadAnew() },
    push: (route) => { window.push('navigate', route) },
    isLoaded: () => window.isLoaded,
  })
  const dialogs = new Dialogs({
    parent: () => window.browserWindow,
    testAnswers: () => (isForTests(app) ? process.env['HOLDFAST_TEST_DIALOG'] : undefined),
    log: (message) => { log('info', message) },
  })
  return { window, navigation, dialogs }
}

type Work = ReturnType<typeof openWork>
type Face = ReturnType<typeof openWindow>

interface Parts {
  readonly stores: Stores
  readonly accounts: Accounts
  readonly work: Work
  readonly face: Face
  readonly notices: Notices
  readonly publisher: Publisher
  readonly sources: StateSources
  readonly folders: Folders
  readonly loginItem: LoginItem
  readonly apply: (settings: Settings) => void
}

function joinHandlers({ stores, accounts, work, face, notices, publisher, sources, folders, loginItem, apply }: Parts): Handlers {
  const { settings, store } = stores
  const { dialogs } = face
  const ports: JobHandlerPorts & CopyHandlerPorts & ReportHandlerPorts & DriveHandlerPorts & RotationHandlerPorts = {
    timers,
    ...stores,
    ...work,
    logs,
    folders,
    ask: (question) => dialogs.ask(question),
    sensitivity: (target) => sensitivityOf(target, { home: homedir(), own: [paths.home, app.getPath('userData'), app.getAppPath()], platform: process.platform, jobs: store.all }),
    copy: (text) => { void clipboard.writeText(text) },
    onChange: () => { publisher.appChanged() },
  }
  return {
    ...jobHandlers(ports),
    ...copyHandlers(ports),
    ...reportHandlers(ports),
    ...driveHandlers(ports), ...rotationHandlers(ports), ...sourceHandlers({ folders, home: homedir() }),
    ...historyHandlers(ports),
    ...supportHandlers({ ...ports, ...work, logs, settings, accounts, home: paths.home, version: app.getVersion(), now: () => timers.now(), saveFile: (options) => dialogs.saveFile(options) }),
    ...repositoryHandlers(ports),
    ...filesHandlers(work.files, ports.copy),
    ...kitHandlers({ ...ports, kits: work.kits, saveFile: (options) => dialogs.saveFile(options), printer: pagePrinter }),
    ...visitHandlers({ ...ports, visits: work.visits, settings }),
    ...accountHandlers({ accounts, store, ask: (question) => dialogs.ask(question) }),
    ...settingsHandlers({ file: settings, loginItem, ask: (question) => dialogs.ask(question), apply }),
    ...windowHandlers({
      app: () => appState(sources),
      live: () => liveState(sources),
      store,
      restores: work.restores, uncovered: work.uncovered,
      notices,
      logFolder: logs.folder,
      folders,
      chooseFolders: (purpose, at) => dialogs.folders(purpose, at),
      chooseFile: () => dialogs.file(),
      openFolder: (path) => shell.openPath(path),
      onDismissed: afterDismissal({ ...work, settings }),
    }),
  }
}

/** Joins everything and starts. The order: stores, then what works on them, then what shows it, then the schedule. */
async function run(): Promise<void> {
  const show = { app: () => undefined as void, live: () => undefined as void }
  const publisher = new Publisher({ timers, sendApp: () => { show.app() }, sendLive: () => { show.live() } })
  const notices = new Notices(() => { publisher.appChanged() })
  const stores = openStores(paths, notices)
  switchLanguage(stores.settings.value.language, app.getLocale())
  warnOfRuntime(app.isPackaged, { log, show: (notice) => { notices.add(notice) } })
  const folders = new Folders()
  const visits = new Visits()
  const face = openWindow(stores, folders, visits)
  const waiting = { goOn: (): void => undefined }
  const accounts = await openAccounts(stores, publisher, () => { waiting.goOn() })
  const notifications = new Notifications((route) => { face.navigation.go(route) })
  const work = openWork(stores, visits, accounts, notices, publisher, notifications, folders)
  waiting.goOn = () => { work.backups.signedIn() }
  const loginItem = openLoginItem(app, process.env, hidden)
  const sources: StateSources = {
    ...stores,
    ...work,
    accounts,
    version: app.getVersion(), now: () => timers.now(),
    oldRuntime: isOldRuntime(process.versions.electron) ? process.versions.electron : undefined,
    settings: () => stores.settings.value,
    autoStart: () => ({ autoStart: loginItem.isOn(), autoStartSupported: loginItem.supported }),
    notices: () => notices.all,
    folders,
  }
  const apply = (settings: Settings): void => {
    nativeTheme.themeSource = settings.theme
    // Only the page of the settings has what makes that necessary.
    if (switchLanguage(settings.language, app.getLocale())) face.navigation.goAnew({ page: 'settings' })
    work.limits.tick()
    work.queue.pump()
    publisher.appChanged()
  }
  const status = openStatusFile({ ...stores, path: paths.status, timers, log, state: () => appState(sources) })
  const tray = new TrayShell(trayState(appState(sources), timers.now()), trayActions({ ...work, ...face, quit: () => { app.quit() } }))
  show.app = () => {
    const state = appState(sources)
    face.window.push('app', state)
    tray.render(trayState(state, timers.now()))
    status.changed()
  }
  show.live = () => {
    face.window.push('live', liveState(sources))
    for (const run of activeRuns(sources)) run.liveShown()
  }
  const handlers = joinHandlers({ stores, accounts, work, face, notices, publisher, sources, folders, loginItem, apply })
  serve(handlers, face)
  apply(stores.settings.value)
  endWell(stores, work, accounts, status)
  startSchedule(work, stores, notifications, show.app)
  if (!process.argv.includes(hidden)) face.window.show()
  log('info', `Holdfast ${app.getVersion()} has started`)
}

/** Opens the door for the window, and for other starts of the app. */
function serve(handlers: Handlers, { window }: Face): void {
  const renderer = serveRenderer(programPaths(app.getAppPath()).renderer)
  protocol.handle(appScheme, renderer)
  serveApi(handlers, {
    pace: windowPace(() => timers.now()),
    isTrusted: ({ senderFrame, sender }) => window.isOurs(senderFrame, sender),
    onInternal: (channel, error) => { log('error', `${channel}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`) },
  })
  app.on('second-instance', (_event, words) => { if (!words.includes(hidden)) window.show() })
  app.on('activate', () => { window.show() })
}

function startSchedule(work: Work, { interrupted, store, history, settings }: Stores, notifications: Notifications, refresh: () => void): void {
  const returns = new Returns({ timers, store, history, backups: work.backups, isWithinReach })
  const overdue = new OverdueTeller({
    now: () => timers.now(), overdue: (ms) => work.backups.overdue(ms), told: overdueToldIn(settings),
    announce: (found) => notifications.show(announceOverdue(found, settings.value.notifications)),
  })
  startTicks({ ...work, timers, overdue, returns, interrupted, refresh, onWake: (action) => powerMonitor.on('resume', action) })
}

/** The app outlives its window; when it quits, engines are told to end, given a moment, and killed. Their runs go on at the next start. */
function endWell({ history }: Stores, { backups, supervisor, mail }: Work, accounts: Accounts, status: StatusFile): void {
  let ending = false
  app.on('window-all-closed', () => undefined)
  app.on('before-quit', (event) => {
    event.preventDefault()
    if (ending) return
    ending = true
    backups.quit()
    void supervisor.stopAll(quitGraceMs).then(() => accounts.close()).then(() => mail.close()).then(() => history.flush()).then(() => status.close()).then(() => logs.close()).finally(() => { app.exit(0) })
  })
  powerMonitor.on('shutdown', () => { app.quit() })
}

