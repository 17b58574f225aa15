import { describe, expect, test } from 'vitest'
import { whyNoGpu } from '../../../../cli/server/tensorflow.ts'

/**
 * Logs of TensorFlow 2.21 with CUDA on three machines: without a driver, without cuDNN, and with a
 * driver but no GPU.
 */
describe('why TensorFlow sees no GPU', () => {
  test('is the library that it did not find, once', () => {
    expect(
      whyNoGpu(`
I0000 00:00:1795658175.586968    6741 dso_loader.cc:144] Could not load dynamic library 'libcuda.so.1'; dlerror: libcuda.so.1: cannot open shared object file: No such file or directory
E0000 00:00:1795658175.587017    6741 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)`),
    ).toBe('it did not find libcuda.so.1')
    expect(
      whyNoGpu(`
I0000 00:00:1795658244.388523    7035 dso_loader.cc:144] Could not load dynamic library 'libcusolver.so.11'; dlerror: libcusolver.so.11: cannot open shared object file: No such file or directory
I0000 00:00:1795658244.400000    7035 dso_loader.cc:133] Successfully opened dynamic library libcusparse.so.12
I0000 00:00:1795658244.407833    7035 dso_loader.cc:144] Could not load dynamic library 'libcudnn.so.9'; dlerror: libcudnn.so.9: cannot open shared object file: No such file or directory
I0000 00:00:1795658244.507833    7035 dso_loader.cc:144] Could not load dynamic library 'libcudnn.so.9'; dlerror: libcudnn.so.9: cannot open shared object file: No such file or directory`),
    ).toBe('it did not find libcusolver.so.11, libcudnn.so.9')
  })

  test('is what the driver answers, where all libraries are there', () => {
    expect(
      whyNoGpu(
        'E0000 00:00:1795658321.429409    8313 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected',
      ),
    ).toBe('the driver answers CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected')
  })

  test('is not known where it says nothing of it', () => {
    expect(whyNoGpu('Error: no such module')).toBeUndefined()
  })
})
