// @ts-check
import { dirname, relative, resolve, sep } from 'node:path'
import { layerOf, mayImport } from './layers.js'

/** ESLint rule: a relative import must follow the layer table, type-only or not, in .ts and in .svelte alike. */
export const layerRule = {
  meta: {
    type: /** @type {const} */ ('problem'),
    messages: { layer: '{{from}} may not import {{to}} (build/lint/layers.js).' },
    schema: [],
  },
  /** @param {import('eslint').Rule.RuleContext} context */
  create(context) {
    const importer = fromRoot(context, context.filename)
    const from = layerOf(importer)
    /** @param {any} node */
    const check = (node) => {
      const specifier = node.source?.value
      if (!from || typeof specifier !== 'string' || !specifier.startsWith('.')) return
      const target = fromRoot(context, resolve(dirname(context.filename), specifier))
      const to = layerOf(target)
      if (!to || mayImport(from, to, isTypeOnly(node))) return
      context.report({ node, messageId: 'layer', data: { from, to } })
    }
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      TSImportType: check,
    }
  },
}

/**
 * @param {import('eslint').Rule.RuleContext} context
 * @param {string} path
 */
function fromRoot(context, path) {
  return relative(context.cwd, path).split(sep).join('/')
}

/** @param {any} node */
function isTypeOnly(node) {
  if (node.type === 'TSImportType') return true
  if (node.importKind === 'type' || node.exportKind === 'type') return true
  const specifiers = node.specifiers ?? []
  return specifiers.length > 0 && specifiers.every((/** @type {any} */ one) => one.importKind === 'type')
}
