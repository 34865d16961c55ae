// @ts-check

/** Calls that destroy or change whatever a path leads to at that moment, or that go down into folders by path. */
const byPath = new Set(
  ['rm', 'rmdir', 'cp', 'chmod', 'lchmod', 'chown', 'lchown', 'utimes', 'lutimes', 'truncate'].flatMap((name) => [name, `${name}Sync`]),
)
const modules = new Set(['fs', 'node:fs', 'fs/promises', 'node:fs/promises'])

/**
 * ESLint rule for folders in which others may swap files for links at any time: what removes, or changes metadata, goes by descriptor
 * (`fchmod`, `FileHandle.chmod`, …) or is a plain `unlink` of a name in a folder that is held. So that it can be seen, node:fs is
 * imported by names.
 */
export const descriptorRule = {
  meta: {
    type: /** @type {const} */ ('problem'),
    messages: {
      byPath: '{{name}} goes by path, and others may have put a link there: use a descriptor (build/lint/descriptor-rule.js).',
      whole: 'Import the calls of {{name}} by their names, so that it can be seen which are used (build/lint/descriptor-rule.js).',
    },
    schema: [],
  },
  /** @param {import('eslint').Rule.RuleContext} context */
  create(context) {
    /** @param {any} node @param {any} imported */
    const checkName = (node, imported) => {
      const name = imported.name ?? imported.value
      if (byPath.has(name)) context.report({ node, messageId: 'byPath', data: { name } })
      else if (name === 'promises' || name === 'default') context.report({ node, messageId: 'whole', data: { name: 'node:fs' } })
    }
    /** @param {any} node @param {any} source */
    const checkWhole = (node, source) => {
      if (modules.has(source?.value)) context.report({ node, messageId: 'whole', data: { name: source.value } })
    }
    return {
      /** @param {any} node */
      ImportDeclaration(node) {
        if (!modules.has(node.source.value) || node.importKind === 'type') return
        for (const one of node.specifiers) {
          if (one.type !== 'ImportSpecifier') checkWhole(one, node.source)
          else if (one.importKind !== 'type') checkName(one, one.imported)
        }
      },
      /** @param {any} node */
      ExportNamedDeclaration(node) {
        if (modules.has(node.source?.value)) for (const one of node.specifiers) checkName(one, one.local)
      },
      /** @param {any} node */
      ExportAllDeclaration: (node) => { checkWhole(node, node.source) },
      /** @param {any} node */
      ImportExpression: (node) => { checkWhole(node, node.source) },
      /** @param {any} node */
      TSExternalModuleReference: (node) => { checkWhole(node, node.expression) },
      /** `require`, `process.getBuiltinModule`. @param {any} node */
      CallExpression(node) {
        const called = node.callee.name ?? node.callee.property?.name
        if (called === 'require' || called === 'getBuiltinModule') checkWhole(node, node.arguments[0])
      },
    }
  },
}
