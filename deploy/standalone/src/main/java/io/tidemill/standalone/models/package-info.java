/**
 * Models from elsewhere at the command line: pulled from a hub, or imported from files.
 *
 * <p>In flow a model's name or a file, out come Hugging Face directories that {@code up --model} takes. A pull that was
 * cut goes on where it was; an import that was cut leaves nothing.
 */
package io.tidemill.standalone.models;
