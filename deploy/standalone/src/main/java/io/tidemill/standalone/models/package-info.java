/**
 * Models from elsewhere at the command line: pulled from a hub, or imported from files; and the program of one, for elsewhere.
 *
 * <p>In flow a model's name or a file, out come Hugging Face directories; decoders are for {@code up --model}. Of a shape or a
 * directory's {@code config.json} comes the program that computes with it. A pull that was cut goes on where it was; what else
 * was cut begins again. {@code train} teaches a model from files, and {@code data} writes some that this build brings.
 */
package io.tidemill.standalone.models;
