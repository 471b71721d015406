package io.tidemill.deploy.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/** A JSON schema of ours, from the test resources; no network. */
public final class JsonSchemas {
    private final JsonSchema schema;

    private JsonSchemas(JsonSchema schema) {
        this.schema = schema;
    }

    public static JsonSchemas named(String name) {
        try (InputStream file = JsonSchemas.class.getResourceAsStream("/schema/" + name + ".json")) {
            return new JsonSchemas(JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                    .getSchema(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Each with its place in the document; empty when the document is as described. */
    public List<String> problems(JsonNode document) {
        return schema.validate(document).stream()
                .map(ValidationMessage::getMessage)
                .toList();
    }
}
