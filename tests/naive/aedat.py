"""Files of AEDAT 2.0, AEDAT 3.1 and Event Stream, record by record."""

import struct


def aedat2(data, chip):
    """Events (t, x, y, p) of records behind the header, and the others by kind."""
    events, others, wraps, last = [], {"special": 0, "sample": 0, "imu": 0}, 0, 0
    for a, raw in struct.iter_unpack(">II", data):
        if chip == "dvs128":
            kind = "special" if a > 0x7FFF else ""
            pixel = (a // 2) % 128, (a // 256) % 128, 1 - a % 2
        elif chip == "davis":
            kinds = {0: "", 1: "special", 2: "", 3: "special", 4: "sample", 5: "sample", 6: "sample", 7: "imu"}
            kind = kinds[4 * (a >> 31) + (a >> 10) % 4]
            pixel = (a >> 12) % 1024, (a >> 22) % 512, (a >> 11) % 2
        else:
            kind = "" if a < 1024 else "sample" if (a >> 13) % 2 else "special"
            pixel = a, 0, 0
        if kind:
            others[kind] += 1
            continue
        if raw - last < -(2**31):
            wraps += 1
        elif raw - last > 2**31 and wraps:
            wraps -= 1
        last = raw
        events.append((wraps * 2**32 + raw, *pixel))
    return events, others


def aedat3(data):
    """Events (t, x, y, p) of the packets behind the header, and how many records are something else."""
    events, others, source, at = [], 0, None, 0
    while at < len(data):
        kind, origin, size, _, wraps, _, number, valid = struct.unpack_from("<hhiiiiii", data, at)
        at += 28
        if kind == 1 and source in (None, origin):
            source = origin
            for i in range(number):
                bits, time = struct.unpack_from("<II", data, at + size * i)
                if bits % 2 or valid == number:
                    events.append((wraps * 2**31 + time, bits >> 17, (bits >> 2) % 2**15, (bits >> 1) % 2))
                else:
                    others += 1
        else:
            others += number
        at += size * number
    return events, others


def es(data):
    """Events (t, x, y, p) of the bytes behind the header, and the number of resets."""
    events, resets, time, i = [], 0, 0, 0
    while i < len(data):
        if data[i] == 255:
            time += 127
            i += 1
        elif data[i] == 254:
            resets += 1
            i += 1
        else:
            time += data[i] // 2
            x, y = struct.unpack_from("<HH", data, i + 1)
            events.append((time, x, y, data[i] % 2))
            i += 5
    return events, resets
