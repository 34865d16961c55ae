import { execFileSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { endDaemon, startDaemon } from './daemon.ts'

export const davUser = 'anna'
export const davPassword = 'ein Geheimnis: ä%'

/** A real WebDAV server on loopback, its files in `root`. */
export interface WebDavServer extends AsyncDisposable {
  readonly origin: string
  /** Path of the folder that may be written, below the origin. */
  readonly path: string
  /** Where its files lie. */
  readonly root: string
}

interface Program {
  readonly command: string
  readonly words: (config: string) => readonly string[]
  readonly config: (at: { readonly port: number; readonly root: string; readonly folder: string; readonly logins: string }) => string
}

const htpasswd = `${davUser}:{SHA}${createHash('sha1').update(davPassword).digest('base64')}\n`

const programs = {
  nginx: {
    command: '/usr/sbin/nginx',
    words: (config) => ['-c', config, '-e', 'stderr'],
    config: ({ port, root, folder, logins }) => `
daemon off; master_process off; pid ${folder}/pid; error_log stderr;
load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
events { worker_connections 256; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  dav_ext_lock_zone zone=locks:1m;
  server {
    listen 127.0.0.1:${port}; root ${root}; client_max_body_size 0; auth_basic x; auth_basic_user_file ${logins};
    location / { dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK; dav_ext_lock zone=locks; create_full_put_path off; dav_access user:rw; }
    location /small/ { client_max_body_size 1m; dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS; }
  }
}`,
  },
  apache: {
    command: '/usr/sbin/apache2',
    words: (config) => ['-f', config, '-DFOREGROUND'],
    config: ({ port, root, folder, logins }) => `
ServerRoot ${folder}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
User nobody
Group nogroup
${['mpm_event', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'auth_basic', 'dav', 'dav_fs'].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
DavLockDB ${folder}/locks
DocumentRoot ${root}
<Directory ${root}>
  Dav On
  AuthType Basic
  AuthName x
  AuthUserFile ${logins}
  Require valid-user
</Directory>`,
  },
} satisfies Readonly<Record<string, Program>>

export type WebDavKind = keyof typeof programs | 'rclone'

/** Wants Debian's nginx-light with libnginx-mod-http-dav-ext, apache2 and rclone (`npm run setup`). */
export async function startWebDav(kind: WebDavKind): Promise<WebDavServer> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-dav-'))
  const root = join(folder, 'root')
  const logins = join(folder, 'logins')
  for (const path of [root, join(root, 'small')]) mkdirSync(path)
  writeFileSync(logins, htpasswd)
  const port = await freePort()
  const child = start(kind, { port, root, folder, logins })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { said += text })
  await listening(port, child, () => `${said}${existsSync(join(folder, 'error.log')) ? readFileSync(join(folder, 'error.log'), 'utf8') : ''}`)
  return {
    origin: `http://127.0.0.1:${port}`, path: '', root,
    async [Symbol.asyncDispose]() {
      await endDaemon(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function start(kind: WebDavKind, at: Parameters<Program['config']>[0]): ChildProcess {
  if (kind === 'rclone') {
    return startDaemon('rclone', ['serve', 'webdav', at.root, '--addr', `127.0.0.1:${at.port}`, '--htpasswd', at.logins, '--config', join(at.folder, 'none')], { stdio: ['ignore', 'ignore', 'pipe'] })
  }
  const { command, words, config } = programs[kind]
  const path = join(at.folder, 'config')
  writeFileSync(path, config(at))
  // Apache gives up root, and its files have to be its own.
  if (kind === 'apache') execFileSync('chown', ['-R', 'nobody:nogroup', at.folder])
  return startDaemon(command, words(path), { stdio: ['ignore', 'ignore', 'pipe'] })
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function listening(port: number, child: ChildProcess, said: () => string): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`The server ended: ${said()}`)
    const socket = connect(port, '127.0.0.1')
    const connected = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false, () => false)]).catch(() => false)
    socket.destroy()
    if (connected) return
    await wait(25)
  }
  throw new Error(`The server does not listen: ${said()}`)
}
