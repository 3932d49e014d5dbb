import gymnasium
import numpy as np

from dagger_cli.envs.gym import GymSource

from . import toys

N = 3


def source(env_id, **changes):
    values = {
        "id": env_id,
        "imports": toys.__name__ if env_id.startswith("toy/") else None,
        "kwargs": {},
        "max_episode_steps": None,
        "fresh_simulator": env_id.startswith("Bipedal"),
        "workers": 0,
        "backend": "gymnasium",
        "failure": "none",
    }
    return GymSource(**(values | changes))


def actor(space, slot):
    """The actions of one slot; boxes are asked for more than they allow."""
    rng = np.random.default_rng(slot)
    while True:
        if space.kind == "box":
            yield rng.uniform(-1.5, 1.5, space.shape) * np.array(space.high, space.dtype)
        elif space.kind == "discrete":
            yield np.int64(rng.integers(space.sizes[0]) + space.start)
        else:
            yield rng.integers(space.sizes).reshape(space.shape).astype(space.dtype)


def seed_of(slot, episode):
    return 100 * slot + episode


def act_all(actors, slots):
    return np.array([next(actors[slot]) for slot in slots])


def drive(env, n_steps):
    """Step all slots, restart what ended; a row (obs, reward, flags, length) per step and slot."""
    slots = np.arange(env.n_envs)
    actors = [actor(env.action_space, slot) for slot in slots]
    episodes = np.zeros(env.n_envs, int)
    env.reset(slots, seed_of(slots, episodes))
    rows = []
    for _ in range(n_steps):
        before = env.observation.obs.copy()
        step = env.step(slots, act_all(actors, slots))
        rows.append(rows_of(before, step, env.observation))
        over = np.flatnonzero(step.ended)
        episodes[over] += 1
        if len(over):
            env.reset(over, seed_of(over, episodes[over]))
    return np.stack(rows)


def rows_of(before, step, observation):
    n = len(before)
    columns = (
        before,
        observation.obs,
        step.rewards,
        step.terminated,
        step.truncated,
        observation.t,
    )
    return np.concatenate([np.asarray(c, np.float64).reshape(n, -1) for c in columns], axis=1)


def plain(env_source, slot, n_steps):
    """The same rows for one slot, by Gymnasium's own loop and nothing of ours."""
    actions, rows, episode = actor(env_source.action_space, slot), [], 0
    env = gymnasium.make(env_source.id, **env_source.kwargs)
    while len(rows) < n_steps:
        seed, left = seed_of(slot, episode), n_steps - len(rows)
        rows += plain_episode(env, env_source.action_space, seed, actions, left)
        episode += 1
        if env_source.fresh_simulator:
            env = gymnasium.make(env_source.id, **env_source.kwargs)
    return np.array(rows, np.float64)


def plain_episode(env, space, seed, actions, n_steps):
    rows, over = [], False
    obs, _ = env.reset(seed=seed)
    while not over and len(rows) < n_steps:
        before, action = obs, next(actions)
        if space.kind == "box":
            low, high = np.array(space.low, space.dtype), np.array(space.high, space.dtype)
            action = np.clip(action.astype(space.dtype), low, high)
        obs, reward, terminated, truncated, _ = env.step(action)
        over = terminated or truncated
        rows.append(np.hstack([before, obs, reward, terminated, truncated, len(rows) + 1]))
    return rows
