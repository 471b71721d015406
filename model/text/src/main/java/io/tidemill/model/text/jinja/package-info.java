/**
 * A small interpreter of Jinja, for chat templates and nothing else.
 *
 * <p>In flow a template's source and plain values, out flows text. Whatever it does not know is refused by name when
 * the template is parsed. Values are only ever copied to the output, never read as template. It keeps no state.
 *
 * <p>Source of the language: Jinja 3.1, "Template Designer Documentation", with the settings of transformers'
 * {@code apply_chat_template}: {@code trim_blocks} and {@code lstrip_blocks}.
 */
package io.tidemill.model.text.jinja;
