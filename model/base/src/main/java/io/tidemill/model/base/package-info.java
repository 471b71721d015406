/**
 * The embedded base model, the text it learned from, and the text held back for the demo.
 *
 * <p>In flow resources of this jar and of two data jars (WordNet, LanguageTool's rules); out flow documents,
 * conversations, corrections and a model's directory. All of it is read-only, so a restart repeats nothing.
 */
package io.tidemill.model.base;
