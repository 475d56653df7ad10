import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type * as core from '@tensorflow/tfjs-core'
import type * as layers from '@tensorflow/tfjs-layers'

/** `tensorflow` is the native library of the optional @tensorflow/tfjs-node. */
export type Backend = 'tensorflow' | 'wasm' | 'cpu'
export interface TensorFlow { readonly tf: typeof core, readonly layers: typeof layers, readonly backend: Backend }

let loading: Promise<{ tf: typeof core, layers: typeof layers, preferred: Backend }> | null = null

/**
 * TensorFlow, imported when it is first needed (about 150 ms). The native library is used where it loads, else WebAssembly, else plain JavaScript.
 *
 * @param backend for a comparison; holds for the whole process.
 */
export async function loadTensorFlow (backend?: Backend): Promise<TensorFlow> {
  loading ??= importTensorFlow()
  const { tf, layers, preferred } = await loading
  const wanted = backend ?? preferred
  if (tf.getBackend() !== wanted && !await tf.setBackend(wanted)) throw new Error(`TensorFlow.js cannot use its backend "${wanted}" here.`)
  return { tf, layers, backend: wanted }
}

async function importTensorFlow () {
  const tf = await import('@tensorflow/tfjs-core')
  tf.enableProdMode() // else the backend "cpu" prints an advertisement for tfjs-node
  const layers = await import('@tensorflow/tfjs-layers')
  await import('@tensorflow/tfjs-backend-cpu')
  const preferred = await useNative(tf) ? 'tensorflow' : await useWasm(tf) ? 'wasm' : 'cpu'
  return { tf, layers, preferred: preferred as Backend }
}

async function useNative (tf: typeof core): Promise<boolean> {
  const require = createRequire(import.meta.url)
  const name = '@tensorflow/tfjs-node' // not a literal in import(): it is optional, the compiler must not look for it
  try {
    // Without its library the import fails after 170 ms; this look at the file costs nothing.
    require.resolve(`${name}/lib/napi-v8/tfjs_binding.node`)
    await import(name)
    // From Node 23 on it loads and then fails at its first operation (tensorflow/tfjs#8609).
    return tf.tidy(() => tf.matMul(tf.ones([2, 2]), tf.ones([2, 2])).dataSync()[0] === 2)
  } catch {
    return false
  }
}

async function useWasm (tf: typeof core): Promise<boolean> {
  const require = createRequire(import.meta.url)
  const events = ['uncaughtException', 'unhandledRejection'] as const
  const before = events.map(event => process.listeners(event as 'uncaughtException'))
  try {
    const wasm = await import('@tensorflow/tfjs-backend-wasm')
    wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`)
    return await tf.setBackend('wasm')
  } catch {
    return false
  } finally {
    // Emscripten's start-up code hangs itself into the process's last resorts; those belong to the program.
    events.forEach((event, i) => {
      for (const listener of process.listeners(event as 'uncaughtException')) {
        if (!before[i].includes(listener)) process.off(event, listener)
      }
    })
  }
}
