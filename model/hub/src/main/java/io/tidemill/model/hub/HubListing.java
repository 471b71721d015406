package io.tidemill.model.hub;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The files of one commit.
 *
 * @param commit 40 hexadecimal digits, or the revision asked for where the hub names none
 * @param files  those that could be of use, by name; only of the top folder, since nothing below it is read
 * @param names  of all files of the top folder, for messages
 */
record HubListing(String commit, Map<String, HubFile> files, List<String> names) {
    private static final int MOST_FILES = 100_000;

    static HubListing parse(ModelId model, String revision, JsonNode json) throws HubException {
        JsonNode siblings = json.path("siblings");
        if (!siblings.isArray() || siblings.size() > MOST_FILES) {
            throw new HubException(
                    "The hub's answer for " + model + " has no list of at most " + MOST_FILES + " files");
        }
        String commit = json.path("sha").asText(revision);
        if (json.has("sha") && !commit.matches("[0-9a-f]{40}")) {
            throw new HubException("The hub names commit '" + Names.shown(commit) + "' for " + model);
        }
        Map<String, HubFile> files = new LinkedHashMap<>();
        List<String> names = new ArrayList<>();
        for (JsonNode sibling : siblings) {
            String name = sibling.path("rfilename").asText("");
            if (!Names.isPlain(name)) {
                continue; // in a folder, or nothing that we would write
            }
            names.add(name);
            if (Names.isText(name) || Names.isShard(name) || name.equals(Names.INDEX)) {
                if (files.put(name, file(model, name, sibling)) != null) {
                    throw new HubException("The hub's list of " + model + " has " + name + " twice");
                }
            }
        }
        return new HubListing(commit, files, names);
    }

    private static HubFile file(ModelId model, String name, JsonNode json) throws HubException {
        JsonNode lfs = json.path("lfs");
        JsonNode size = lfs.hasNonNull("size") ? lfs.path("size") : json.path("size");
        if (!size.isIntegralNumber() || !size.canConvertToLong()) {
            throw new HubException("The hub's list of " + model + " gives no size of " + name);
        }
        try {
            ContentDigest digest = lfs.hasNonNull("sha256")
                    ? new ContentDigest(
                            ContentDigest.Kind.SHA256, lfs.path("sha256").asText())
                    : new ContentDigest(
                            ContentDigest.Kind.GIT_BLOB, json.path("blobId").asText(""));
            return new HubFile(name, size.longValue(), digest);
        } catch (IllegalArgumentException e) {
            throw new HubException(
                    "The hub's list of " + model + " cannot be believed about " + name + ": "
                            + Names.shown(e.getMessage()),
                    e);
        }
    }
}
