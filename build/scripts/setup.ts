import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { findRuntime, type Runtime } from '../runtime/runtime.ts'
import { unpackedFolder } from './unpacked.ts'

/** What the Electron runtime loads, and what shows it on a machine without a screen. */
const desktopPackages = [
  'dbus',
  'dbus-x11',
  'libasound2',
  'libatspi2.0-0',
  'libgbm1',
  'libgtk-3-0',
  'libnotify4',
  'libnss3',
  'libsecret-1-0',
  'libxkbcommon0',
]
/** What only the tests need: a screen in memory, a keyring, and real servers of storages. */
const testPackages = [
  'acl',
  'apache2',
  'attr',
  'ceph-common',
  'ceph-mon',
  'ceph-osd',
  'gnome-keyring',
  'iproute2',
  'libhiredis0.14',
  'libmemcached11',
  'libmemcachedutil2',
  'libnginx-mod-http-dav-ext',
  'libpcre2-posix3',
  'nginx-light',
  'openssh-server',
  'openssl',
  'radosgw',
  'rclone',
  'vsftpd',
  'xauth',
  'xvfb',
]

/** A second FTP server: Debian lets nobody install two, so it is unpacked beside them. Its libraries are among the packages above. */
const unpackedPackages = { proftpd: ['proftpd-core', 'proftpd-mod-crypto'] } as const

/** Sets up what the tests need and returns the runtime. A second call finds all of it there and is quick. */
export async function setUpForTests(): Promise<Runtime> {
  installPackages([...desktopPackages, ...testPackages])
  for (const [name, packages] of Object.entries(unpackedPackages)) unpackPackages(name, packages)
  return setUpRuntime()
}

/** Sets up what the app needs. Debian packages are installed only where the runtime would not start without them. */
export async function setUpForApp(): Promise<Runtime> {
  const runtime = await setUpRuntime()
  if (missingLibraries(runtime).length > 0) installPackages(desktopPackages)
  return runtime
}

async function setUpRuntime(): Promise<Runtime> {
  const runtime = await findRuntime()
  console.log(`Electron ${runtime.version} from ${runtime.origin}.`)
  return runtime
}

/** Shared libraries that the runtime's executable does not find; none where there is no ldd to ask. */
function missingLibraries(runtime: Runtime): readonly string[] {
  if (process.platform !== 'linux') return []
  const { stdout } = spawnSync('ldd', [runtime.executable], { encoding: 'utf8' })
  return [...(stdout ?? '').matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name ?? '')
}

/**
 * Installs Debian packages that are not there yet, as root or with a sudo that asks nothing.
 * @throws Error that holds the exact command, where neither is possible.
 */
function installPackages(names: readonly string[]): void {
  const missing = names.filter((name) => !isInstalled(name))
  if (missing.length === 0) return
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...missing]
  const command = `sudo apt-get update && sudo ${install.join(' ')}`
  if (!succeeds('apt-get', ['--version'])) {
    throw new Error(`This machine lacks ${missing.join(', ')} (Debian's names), and has no apt-get. Please install them.`)
  }
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  if (prefix.length > 0 && !succeeds('sudo', ['-n', 'true'])) {
    throw new Error(`Some Debian packages are missing. Please run this, then try again:\n\n  ${command}\n`)
  }
  console.log(`Installing ${missing.join(' ')} …`)
  runQuietly([...prefix, 'apt-get', 'update'])
  if (!runQuietly([...prefix, ...install])) throw new Error(`Installing failed. Please run:\n\n  ${command}\n`)
}

/** Unpacks Debian packages without installing them, unless that was done. */
function unpackPackages(name: string, packages: readonly string[]): void {
  const folder = unpackedFolder(name)
  if (existsSync(folder)) return
  const fresh = `${folder}.${process.pid}`
  mkdirSync(fresh, { recursive: true })
  console.log(`Unpacking ${packages.join(' ')} …`)
  const unpack = 'for file in *.deb; do dpkg -x "$file" . && rm "$file" || exit 1; done'
  if (!runQuietly(['apt-get', 'download', ...packages], fresh) || !runQuietly(['sh', '-c', unpack], fresh)) {
    rmSync(fresh, { recursive: true })
    throw new Error(`Downloading failed: apt-get download ${packages.join(' ')}`)
  }
  renameSync(fresh, folder)
}

function isInstalled(name: string): boolean {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' })
  return stdout === 'installed'
}

function succeeds(program: string, words: readonly string[]): boolean {
  return spawnSync(program, words, { stdio: 'ignore' }).status === 0
}

/** Runs a command and shows what it printed only if it fails. */
function runQuietly([program = '', ...words]: readonly string[], cwd?: string): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const result = spawnSync(program, words, { encoding: 'utf8', env, maxBuffer: 64 * 1024 * 1024, ...(cwd === undefined ? {} : { cwd }) })
  if (result.status !== 0) console.error(`${result.stdout ?? ''}${result.stderr ?? ''}`)
  return result.status === 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await setUpForTests()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
