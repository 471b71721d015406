/**
 * Models from elsewhere at the command line: pulled from a hub, or imported from files.
 *
 * <p>In flow a model's name or a file, out come Hugging Face directories; decoders are for {@code up --model}. A pull that was
 * cut goes on where it was; an import that was cut begins again.
 */
package io.tidemill.standalone.models;
