package org.tfkit.example

import android.app.Activity
import android.os.Bundle
import android.widget.TextView
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import org.tensorflow.lite.Interpreter

/** Runs `assets/model.tflite` (one input, one output) on zeros and shows how long the second run took. */
class MainActivity : Activity() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        val view = TextView(this)
        setContentView(view)
        Thread {
            val text = try { runOnce() } catch (error: Exception) { error.toString() }
            runOnUiThread { view.text = text }
        }.start()
    }

    private fun runOnce(): String {
        val model = assets.openFd("model.tflite").use { file ->
            file.createInputStream().channel.map(
                FileChannel.MapMode.READ_ONLY, file.startOffset, file.declaredLength,
            )
        }
        TfkitDelegate(mapOf("num_threads" to "2")).use { delegate ->
            Interpreter(model, Interpreter.Options().addDelegate(delegate).setNumThreads(2)).use { interpreter ->
                val input = buffer(interpreter.getInputTensor(0).numBytes())
                val output = buffer(interpreter.getOutputTensor(0).numBytes())
                interpreter.run(input, output)  // the first run also prepares
                input.rewind()
                output.rewind()
                val start = System.nanoTime()
                interpreter.run(input, output)
                return "one run: ${(System.nanoTime() - start) / 1000} us"
            }
        }
    }

    private fun buffer(bytes: Int) = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
}
