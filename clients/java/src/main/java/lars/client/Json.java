package lars.client;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads JSON (RFC 8259) as maps, lists, strings, doubles, booleans and nulls. */
final class Json {
    private static final int MAX_DEPTH = 64;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** The value of a text; throws IllegalArgumentException if it is not JSON. */
    static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value(0);
        json.space();
        if (json.at != text.length()) {
            throw json.wrong();
        }
        return value;
    }

    private IllegalArgumentException wrong() {
        return new IllegalArgumentException("not JSON at character " + at);
    }

    private Object value(int depth) {
        if (depth > MAX_DEPTH) {
            throw wrong();
        }
        space();
        return switch (peek()) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 't' -> literal("true", true);
            case 'f' -> literal("false", false);
            case 'n' -> literal("null", null);
            default -> number();
        };
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> members = new LinkedHashMap<>();
        at++;
        if (took('}')) {
            return members;
        }
        do {
            space();
            String name = string();
            expect(':');
            members.put(name, value(depth + 1));
        } while (took(','));
        expect('}');
        return members;
    }

    private List<Object> array(int depth) {
        List<Object> items = new ArrayList<>();
        at++;
        if (took(']')) {
            return items;
        }
        do {
            items.add(value(depth + 1));
        } while (took(','));
        expect(']');
        return items;
    }

    private String string() {
        if (peek() != '"') {
            throw wrong();
        }
        StringBuilder found = new StringBuilder();
        for (at++; peek() != '"'; at++) {
            found.append(peek() == '\\' ? escaped() : peek());
        }
        at++;
        return found.toString();
    }

    private char escaped() {
        at++;
        int place = "\"\\/bfnrt".indexOf(peek());
        if (place >= 0) {
            return "\"\\/\b\f\n\r\t".charAt(place);
        }
        if (peek() != 'u' || at + 5 > text.length()) {
            throw wrong();
        }
        String hex = text.substring(at + 1, at + 5);
        at += 4;
        try {
            return (char) Integer.parseUnsignedInt(hex, 16);
        } catch (NumberFormatException error) {
            throw wrong();
        }
    }

    private Object literal(String word, Object meaning) {
        if (!text.startsWith(word, at)) {
            throw wrong();
        }
        at += word.length();
        return meaning;
    }

    private Double number() {
        int start = at;
        while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        try {
            return Double.valueOf(text.substring(start, at));
        } catch (NumberFormatException error) {
            throw wrong();
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw wrong();
        }
        return text.charAt(at);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean took(char wanted) {
        space();
        boolean there = at < text.length() && text.charAt(at) == wanted;
        at += there ? 1 : 0;
        return there;
    }

    private void expect(char wanted) {
        if (!took(wanted)) {
            throw wrong();
        }
    }
}
