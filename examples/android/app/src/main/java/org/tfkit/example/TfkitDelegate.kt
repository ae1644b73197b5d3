package org.tfkit.example

import org.tensorflow.lite.Delegate

/**
 * tfkit's delegate for one interpreter: `Interpreter.Options().addDelegate(TfkitDelegate(mapOf("num_threads" to "4")))`.
 *
 * The options are those of android_bench/delegate/README.md; one that is unknown throws [IllegalArgumentException].
 * Close the interpreter first, then this.
 */
class TfkitDelegate(options: Map<String, String> = emptyMap()) : Delegate {
    private var handle: Long = create(options.keys.toTypedArray(), options.values.toTypedArray())

    override fun getNativeHandle(): Long = handle

    override fun close() {
        destroy(handle)
        handle = 0
    }

    companion object {
        init {
            System.loadLibrary("tfkit_jni")
        }

        @JvmStatic
        private external fun create(keys: Array<String>, values: Array<String>): Long

        @JvmStatic
        private external fun destroy(handle: Long)
    }
}
